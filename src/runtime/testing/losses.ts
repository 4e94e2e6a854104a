/** @file A few steps of a program that trains, and what they give. */
import type { TypedArray } from '#src/onnx/tensor.ts';
import type { Program } from '#src/program/types.ts';
import { createRuntime } from '../runtime.ts';

/** Loss and gradient norm of so many steps on the same data, on WebAssembly, one after the other. */
export async function lossesOf(
  program: Program,
  feeds: Readonly<Record<string, TypedArray>>,
  steps: number,
): Promise<number[]> {
  const runtime = await createRuntime({ prefer: 'wasm', threads: 1 });
  const step = await runtime.load(program);
  const out: number[] = [];
  for (let i = 1; i <= steps; i++) {
    const schedule = new Float32Array([0.01, 1 - 0.9 ** i, 1 - 0.99 ** i, 1]);
    const got = await step.run({ ...feeds, schedule }, ['loss', 'grad_norm']);
    out.push(got['loss']![0] as number, got['grad_norm']![0] as number);
  }
  await runtime.dispose();
  return out;
}
