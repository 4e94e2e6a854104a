/** @file Damaged model files, 1,000 of them in a sweep: each is refused with a sentence, or is a model whose numbers ONNX Runtime confirms. */
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { type Graph, GraphError } from '#src/graph/types.ts';
import { ModelError } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensor, type Tensor, type TypedArray } from '#src/onnx/tensor.ts';
import { uniform } from '#src/ops/testing/random.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { fixture } from '../golden/testing/fixtures.ts';
import { mutations } from './parts/models.ts';
import { trainedGraph } from './parts/trained.ts';

const bases = [
  'zoo/mlp-ts14/model.onnx',
  'oft/trajectory_mlp.onnx',
  'oft/trajectory_conv.onnx',
  'zoo/vit-timm-dyn23/model.onnx',
  'zoo/gpt2-past-optimum18/model.onnx',
];
const perKind = Math.ceil(depth(250, 1000) / Object.keys(mutations).length);

const feed = (type: 'float32' | 'int32' | 'int64', shape: readonly number[]): Tensor =>
  tensor(
    type,
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => (type === 'float32' ? Math.sin(i + 1) : i % 2)),
  );

/** What ONNX Runtime makes of the damaged file itself; null: it refuses it. */
async function byRuntime(
  bytes: Uint8Array,
  feeds: Record<string, Tensor>,
): Promise<Record<string, number[]> | null> {
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'], logSeverityLevel: 4 });
  } catch {
    return null;
  }
  try {
    const results = await session.run(
      Object.fromEntries(
        Object.entries(feeds)
          .filter(([name]) => session.inputNames.includes(name))
          .map(([name, t]) => [
            name,
            new ort.Tensor(t.type as 'float32', t.data as Float32Array, [...t.shape]),
          ]),
      ),
    );
    return Object.fromEntries(
      Object.entries(results).map(([name, t]) => [
        name,
        numbersOf({ type: t.type, shape: t.dims, data: t.data as unknown as TypedArray }),
      ]),
    );
  } catch {
    return null;
  } finally {
    await session.release();
  }
}

describe.each(Object.entries(mutations))('%s', (kind, mutate) => {
  it('is refused in words, or right', async () => {
    let [refused, right, compared] = [0, 0, 0];
    for (let seed = 0; seed < perKind; seed++) {
      const base = bases[seed % bases.length]!;
      const random = uniform(1 + seed * 7919 + kind.length);
      const bytes = mutate(fixture(base), random);
      let graph: Graph;
      try {
        graph = trainedGraph(bytes);
      } catch (error) {
        if (!(error instanceof ModelError || error instanceof GraphError))
          throw new Error(`${kind}, seed ${seed}, ${base}: ${String(error)}`, { cause: error });
        expect(error.message.length, error.message).toBeLessThan(2000);
        refused++;
        continue;
      }
      right++;
      const numeric = graph.inputs.every((v) => ['float32', 'int32', 'int64'].includes(v.type));
      const small = [...graph.values.values()].every((v) => sizeOf(v.shape) < 1e6);
      if (!numeric || !small || right % 3 !== 1) continue;
      const feeds = Object.fromEntries(graph.inputs.map((v) => [v.name, feed(v.type as 'float32', v.shape)]));
      const want = await byRuntime(bytes, feeds);
      if (!want) continue;
      const got = await runGraph(graph, feeds);
      for (const [name, values] of Object.entries(want)) {
        const own = numbersOf(got[name]!);
        expect(own.length, `${kind}, seed ${seed}: ${name}`).toBe(values.length);
        const scale = values.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 1e-6);
        values.forEach((x, i) => {
          if (Number.isFinite(x) && Number.isFinite(own[i]))
            expect(Math.abs(own[i]! - x) / scale, `${kind}, seed ${seed}: ${name}[${i}]`).toBeLessThan(1e-4);
          else
            expect(
              Number.isFinite(own[i]),
              `${kind}, seed ${seed}: ${name}[${i}] is ${own[i]} for ${x}`,
            ).toBe(Number.isFinite(x));
        });
      }
      compared++;
    }
    expect(refused + right).toBe(perKind);
    // Damage that leaves a sane model behind must have been put beside ONNX Runtime at least once.
    if (right > 30) expect(compared).toBeGreaterThan(0);
  });
});
