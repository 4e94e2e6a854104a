import { describe, expect, it } from 'vitest';
import { findLayers } from '#src/oft/layers/layers.ts';
import { mergeWeight } from '#src/oft/insertion/mergeWeight.ts';
import { peftSettings } from '#src/oft/plan/planned.ts';
import type { Layer } from '#src/oft/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Constant, DType, Model, Node } from '#src/onnx/model.ts';
import { constantOf, numbersOf, tensor, tensorOf } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { writeAdapter } from '../adapters/adapterFiles.ts';
import { torchWeights } from './onnxWeights.ts';
import { seeded, testAdapter } from '../testing/adapters.ts';
import { int, ints, node } from '../testing/nodes.ts';
import { relative, run } from '../testing/runFile.ts';

const roll = seeded(5);
const random = (type: DType, shape: readonly number[]): Constant =>
  constantOf(
    tensor(
      type,
      shape,
      Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
        type.startsWith('float') ? 2 * roll() - 1 : Math.floor(roll() * 200) - 100,
      ),
    ),
  );

function tiny(
  nodes: Node[],
  initializers: Record<string, Constant>,
  width = 8,
  type: DType = 'float32',
): Model {
  return {
    irVersion: 8,
    opsets: new Map([
      ['', 17],
      ['com.microsoft', 1],
    ]),
    producer: 'test',
    metadata: new Map(),
    graph: {
      name: 'tiny',
      inputs: [{ name: 'x', type, shape: [2, width] }],
      outputs: [{ name: 'y', type, shape: [2, 8] }],
      nodes,
      initializers: new Map(Object.entries(initializers)),
    },
  };
}

/** The model merged by the library's own way: y = x·W′ᵀ computed here, against what ONNX Runtime makes of the file. */
async function check(
  model: Model,
  expected: (x: Float64Array, weight: (path: string) => Float32Array) => number[],
): Promise<{ model: Model; layers: Layer[] }> {
  const layers = findLayers(importGraph(model, {}));
  const adapters = layers.map((l) => testAdapter(l, 2, {}, roll));
  const base = torchWeights(model);
  const { files } = await writeAdapter('onnx', { layers: adapters, model: { model } });
  const x = Float64Array.from({ length: 16 }, () => Math.fround(2 * roll() - 1));
  const rotated = new Map(adapters.map((a) => [a.layer.layer.path, mergeWeight(a, base(a.layer.layer))]));
  const { y } = await run(files[0]!.bytes, { x: tensor('float32', [2, 8], x) });
  expect(
    relative(
      y!,
      expected(x, (path) => rotated.get(path)!),
    ),
  ).toBeLessThan(2e-6);
  return { model: decodeModel(files[0]!.bytes), layers };
}

/** x [2, in] · Wᵀ, W [out, in]. */
function times(x: ArrayLike<number>, weight: Float32Array, out = 8): number[] {
  const fan = weight.length / out;
  return Array.from({ length: (x.length / fan) * out }, (_, i) => {
    const [row, column] = [Math.floor(i / out), i % out];
    let sum = 0;
    for (let k = 0; k < fan; k++) sum += x[row * fan + k]! * weight[column * fan + k]!;
    return sum;
  });
}

describe('a weight behind', () => {
  it('a Transpose, which goes with it', async () => {
    const { model } = await check(
      tiny([node('Transpose', ['w.weight'], 't', { perm: ints(1, 0) }), node('MatMul', ['x', 't'], 'y')], {
        'w.weight': random('float32', [8, 8]),
      }),
      (x, w) => times(x, w('w')),
    );
    expect(model.graph.nodes.map((n) => n.op)).toEqual(['MatMul']);
    expect([...model.graph.initializers.keys()]).toEqual(['w.weight']);
  });

  it('a Cast from float16', async () => {
    const { model } = await check(
      tiny(
        [node('Cast', ['w.weight'], 'c', { to: int(1) }), node('Gemm', ['x', 'c'], 'y', { transB: int(1) })],
        {
          'w.weight': random('float16', [8, 8]),
        },
      ),
      (x, w) => times(x, w('w')),
    );
    expect(model.graph.initializers.get('w.weight')?.type).toBe('float32');
  });

  it('a DequantizeLinear along either axis, beside which the rotation stands', async () => {
    for (const axis of [0, 1]) {
      const { model } = await check(
        tiny(
          [
            node('DequantizeLinear', ['w.weight', 's', 'z'], 'd', { axis: int(axis) }),
            node('MatMul', ['x', 'd'], 'y'),
          ],
          {
            'w.weight': random('int8', [8, 8]),
            s: constantOf(
              tensor(
                'float32',
                [8],
                Array.from({ length: 8 }, (_, i) => 0.01 * (i + 1)),
              ),
            ),
            z: random('int8', [8]),
          },
        ),
        (x, w) => times(x, w('w')),
      );
      expect([...model.graph.initializers.keys()]).toEqual(expect.arrayContaining(['w.weight', 's', 'z']));
      expect(model.graph.initializers.get('w.weight')!.type).toBe('int8');
    }
  });

  it('two nodes, and a third that reads it otherwise and keeps the old one', async () => {
    const { model } = await check(
      tiny(
        [
          node('MatMul', ['x', 'w.weight'], 'a'),
          node('MatMul', ['a', 'w.weight'], 'b'),
          node('ReduceMean', ['w.weight'], 'm', { keepdims: int(0) }),
          node('Sub', ['b', 'm'], 'c'),
          node('Add', ['c', 'm'], 'y'),
        ],
        { 'w.weight': random('float32', [8, 8]) },
      ),
      (x, w) => times(times(x, w('w')), w('w')),
    );
    expect([...model.graph.initializers.keys()].sort()).toEqual(['w.rotated.weight', 'w.weight']);
  });

  it('a Constant node', async () => {
    await check(
      tiny(
        [
          node('Constant', [], 'w.weight', { value: { kind: 'tensor', value: random('float32', [8, 8]) } }),
          node('MatMul', ['x', 'w.weight'], 'y'),
        ],
        {},
      ),
      (x, w) => times(x, w('w')),
    );
  });

  it("ONNX Runtime's FusedMatMul and FusedGemm", async () => {
    await check(
      tiny(
        [
          node('FusedMatMul', ['x', 'v.weight'], 'a', { transB: int(1) }, 'com.microsoft'),
          node(
            'FusedGemm',
            ['a', 'w.weight', 'bias'],
            'y',
            { transB: int(1), activation: { kind: 'string', value: 'Relu' } },
            'com.microsoft',
          ),
        ],
        {
          'v.weight': random('float32', [8, 8]),
          'w.weight': random('float32', [8, 8]),
          bias: constantOf(tensor('float32', [8], new Float32Array(8))),
        },
      ),
      (x, w) => times(times(x, w('v')), w('w')).map((v) => Math.max(0, v)),
    );
  });
});

describe('element types and edges', () => {
  const simple = (type: DType): Model =>
    tiny([node('MatMul', ['x', 'w.weight'], 'y')], { 'w.weight': random(type, [8, 8]) }, 8, type);

  it('a float16 model stays float16', async () => {
    const model = simple('float16');
    const layer: Layer = findLayers(importGraph(model, {}))[0]!;
    const adapter = testAdapter(layer, 2, {}, roll);
    const { files } = await writeAdapter('onnx', { layers: [adapter], model: { model } });
    const weight = decodeModel(files[0]!.bytes).graph.initializers.get('w.weight')!;
    expect(weight.type).toBe('float16');
    const want = mergeWeight(adapter, torchWeights(model)(layer));
    numbersOf(tensorOf(weight)).forEach((x, i) => {
      const [row, column] = [Math.floor(i / 8), i % 8];
      expect(Math.abs(x - want[column * 8 + row]!)).toBeLessThan(1e-3);
    });
  });

  it('numbers beyond float16 stay float32', async () => {
    const w = random('float32', [32, 8]);
    (tensorOf(w).data as Float32Array)[3] = 1e6;
    const model = tiny([node('MatMul', ['x', 'w.weight'], 'y')], { 'w.weight': w }, 32);
    const adapter = testAdapter(findLayers(importGraph(model, {}))[0]!, 2, {}, roll);
    const { files } = await writeAdapter('onnx', {
      layers: [adapter],
      model: { model, precision: 'float16' },
    });
    expect(decodeModel(files[0]!.bytes).graph.initializers.get('w.weight')?.type).toBe('float32');
  });

  it('a layer that did not move is left alone', async () => {
    const model = simple('float32');
    const adapter = testAdapter(findLayers(importGraph(model, {}))[0]!, 2, {}, roll, { size: 0 });
    const { files } = await writeAdapter('onnx', { layers: [adapter], model: { model } });
    expect(Buffer.compare(files[0]!.bytes, encodeModel(model))).toBe(0);
  });

  it('another model is refused', async () => {
    const adapter = testAdapter(findLayers(importGraph(simple('float32'), {}))[0]!, 2, peftSettings, roll);
    const other = tiny([node('MatMul', ['x', 'v.weight'], 'y')], { 'v.weight': random('float32', [8, 8]) });
    await expect(writeAdapter('onnx', { layers: [adapter], model: { model: other } })).rejects.toThrow(
      /no MatMul that multiplies by w.weight.*another model/,
    );
    const wider = tiny(
      [node('MatMul', ['x', 'w.weight'], 'y')],
      { 'w.weight': random('float32', [16, 8]) },
      16,
    );
    await expect(writeAdapter('onnx', { layers: [adapter], model: { model: wider } })).rejects.toThrow(
      /shape \[16,8\], but layer w one of \[8,8\]/,
    );
  });
});
