/** @file Runs an ONNX file as it is, for tests: what it is worth elsewhere. */
import * as ort from 'onnxruntime-web';
import { expect } from 'vitest';
import type { Tensor } from '#src/onnx/tensor.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

/** Outputs by name. */
export async function run(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
  data?: { readonly path: string; readonly bytes: Uint8Array },
): Promise<Record<string, number[]>> {
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: ['wasm'],
    logSeverityLevel: 3,
    ...(data && { externalData: [{ path: data.path, data: data.bytes }] }),
  });
  const results = await session.run(
    Object.fromEntries(
      session.inputNames.map((name) => {
        const t = feeds[name]!;
        return [name, new ort.Tensor(t.type as 'float32', t.data as Float32Array, [...t.shape])];
      }),
    ),
  );
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([k, v]) => [k, Array.from(v.data as Float32Array)]));
}

/** Largest difference over the largest number. */
export function relative(got: readonly number[], want: readonly number[]): number {
  expect(got).toHaveLength(want.length);
  const top = want.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  return got.reduce((m, x, i) => Math.max(m, Math.abs(x - want[i]!)), 0) / top;
}
