/** @file Rotations beside weights of few bits: the file's outputs in ONNX Runtime against those of a float model with the weights merged. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeWeight } from '#src/oft/insertion/mergeWeight.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { defaultSettings, peftSettings } from '#src/oft/plan/planned.ts';
import type { Layer, LayerSettings } from '#src/oft/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Attribute, Constant, DType, Model, Node } from '#src/onnx/model.ts';
import { constantOf, sizeOf, tensor, type Tensor, tensorOf } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { writeAdapter } from '../adapters/adapterFiles.ts';
import { seeded, testAdapter } from '../testing/adapters.ts';
import { int, ints, node } from '../testing/nodes.ts';
import { relative, run } from '../testing/runFile.ts';
import { torchWeights } from './onnxWeights.ts';

type Kind = 'MatMulNBits' | 'MatMul' | 'Gemm' | 'Conv' | 'Gather';

/** A layer of few bits. */
interface Case {
  readonly kind: Kind;
  readonly bits: 4 | 8;
  /** Blocks of 16 along the inputs; only MatMulNBits has no other way. */
  readonly blocked: boolean;
  readonly zeros: boolean;
  readonly bias: boolean;
  readonly rank: 2 | 3;
  readonly opset: 10 | 13 | 21;
  readonly kernel: 1 | 3;
  readonly groups: 1 | 2;
}

interface Turned {
  readonly side: LayerSettings['side'];
  readonly algorithm: LayerSettings['algorithm'];
  readonly count: 1 | 2 | 4;
  readonly exact: boolean;
  readonly rescale: boolean;
  readonly share: boolean;
  readonly strength: number;
}

const [IN, OUT] = [32, 16];

const bytes = (type: DType, shape: number[], roll: () => number): Constant => {
  const low = type.startsWith('u') ? 0 : -128;
  const four = type.endsWith('int4');
  const length = four ? Math.ceil(sizeOf(shape) / 2) : sizeOf(shape);
  const data = Array.from({ length }, () => Math.floor(256 * roll()) + (four ? 0 : low));
  return constantOf(four ? { type, shape, data: Uint8Array.from(data) } : tensor(type, shape, data));
};

const floats = (shape: number[], roll: () => number, scale = 1): Constant =>
  constantOf(
    tensor(
      'float32',
      shape,
      Array.from({ length: sizeOf(shape) }, () => scale * (0.5 + roll())),
    ),
  );

/** The layer's nodes behind y, and what they read. */
function layerOf(c: Case, roll: () => number): { nodes: Node[]; initializers: [string, Constant][] } {
  const bias: [string, Constant][] = c.bias ? [['bias', floats([OUT], roll)]] : [];
  if (c.kind === 'MatMulNBits') {
    const blocks = IN / 16;
    return {
      nodes: [
        node(
          'MatMulNBits',
          ['x', 'w_Q4', 'w_scales', c.zeros ? 'w_zeros' : '', '', c.bias ? 'bias' : ''].slice(
            0,
            c.bias ? 6 : c.zeros ? 4 : 3,
          ),
          'y',
          { K: int(IN), N: int(OUT), bits: int(c.bits), block_size: int(16) },
          'com.microsoft',
        ),
      ],
      initializers: [
        ['w_Q4', bytes('uint8', [OUT, blocks, (16 * c.bits) / 8], roll)],
        ['w_scales', floats([OUT * blocks], roll, 2 ** (2 - c.bits))],
        ...(c.zeros
          ? [
              ['w_zeros', bytes('uint8', [OUT * Math.ceil((blocks * c.bits) / 8)], roll)] as [
                string,
                Constant,
              ],
            ]
          : []),
        ...bias,
      ],
    };
  }
  const shape =
    c.kind === 'Conv' ? [OUT, IN / c.groups, c.kernel, c.kernel] : c.kind === 'Gemm' ? [OUT, IN] : [IN, OUT];
  const axis = c.kind === 'Gemm' ? 1 : 0;
  const blocked = c.blocked && c.kind !== 'Conv' && c.opset === 21;
  const scaled = blocked ? shape.map((d, i) => (i === axis ? d / 16 : d)) : [shape[axis]!];
  const four = c.bits === 4 && c.opset === 21;
  const type = four ? 'uint4' : 'uint8';
  const dequantised = node(
    'DequantizeLinear',
    ['w.weight', 'w_scales', ...(c.zeros ? ['w_zeros'] : [])],
    'w',
    c.opset === 10 ? {} : { axis: int(axis), ...(blocked && { block_size: int(16) }) },
  );
  const weights: [string, Constant][] = [
    ['w.weight', bytes(type, shape, roll)],
    ['w_scales', floats(c.opset === 10 ? [] : scaled, roll, four ? 0.2 : 0.01)],
    ...(c.zeros ? [['w_zeros', bytes(type, c.opset === 10 ? [] : scaled, roll)] as [string, Constant]] : []),
  ];
  if (c.kind === 'Gather')
    return { nodes: [dequantised, node('Gather', ['w', 'x'], 'y')], initializers: weights };
  const biased = c.bias || (c.kind === 'Gemm' && c.opset === 10);
  const inputs = ['x', 'w', ...(biased && c.kind !== 'MatMul' ? ['bias'] : [])];
  const attributes: Record<string, Record<string, Attribute>> = {
    MatMul: {},
    Gemm: { transB: int(1), beta: { kind: 'float', value: 0.5 }, alpha: { kind: 'float', value: 2 } },
    Conv: {
      group: int(c.groups),
      kernel_shape: ints(c.kernel, c.kernel),
      pads: ints(...Array<number>(4).fill((c.kernel - 1) / 2)),
    },
  };
  return {
    nodes: [dequantised, node(c.kind, inputs, 'y', attributes[c.kind])],
    initializers: [...weights, ...(biased ? [['bias', floats([OUT], roll)] as [string, Constant]] : [])],
  };
}

function modelOf(c: Case, roll: () => number): { model: Model; x: Tensor } {
  const { nodes, initializers } = layerOf(c, roll);
  const shape =
    c.kind === 'Conv'
      ? [2, IN, 3, 3]
      : c.kind === 'Gather'
        ? [2, 3]
        : c.rank === 3 && c.kind !== 'Gemm'
          ? [2, 3, IN]
          : [3, IN];
  const type = c.kind === 'Gather' ? 'int64' : 'float32';
  const values = Array.from({ length: sizeOf(shape) }, () =>
    c.kind === 'Gather' ? Math.floor(roll() * IN) : 2 * roll() - 1,
  );
  return {
    x: tensor(type, shape, values),
    model: {
      irVersion: c.opset === 10 ? 5 : 10,
      opsets: new Map([
        ['', c.opset],
        ['com.microsoft', 1],
      ]),
      producer: 'test',
      metadata: new Map(),
      graph: {
        name: 'packed',
        inputs: [{ name: 'x', type, shape }],
        outputs: [{ name: 'y', type: 'float32', shape: null }],
        nodes,
        initializers: new Map(initializers),
      },
    },
  };
}

/** The same model with a float weight in the packed one's place. */
function floating({ graph, ...model }: Model, layer: Layer, weight: Float32Array): Model {
  const own = graph.nodes.at(-1)!;
  const packed = own.op === 'MatMulNBits';
  const shape =
    layer.kind === 'conv'
      ? [layer.out, layer.in / layer.groups, ...layer.kernel]
      : layer.kind === 'embedding'
        ? [layer.in, layer.out]
        : [layer.out, layer.in];
  const table = ['w', constantOf(tensor('float32', shape, weight))] as const;
  const swapped: Node = node('Transpose', ['w'], 'w_t', { perm: ints(1, 0) });
  const bias = own.inputs[5];
  const linear = [
    swapped,
    node('MatMul', ['x', 'w_t'], bias ? 'product' : 'y'),
    ...(bias ? [node('Add', ['product', bias], 'y')] : []),
  ];
  return {
    ...model,
    graph: {
      ...graph,
      nodes: packed || own.op === 'MatMul' ? linear : [own],
      initializers: new Map([...graph.initializers, table]),
    },
  };
}

function adapterOf(layer: Layer, t: Turned, roll: () => number) {
  const boft = t.algorithm === 'boft' && layer.kind !== 'embedding';
  const embedding = layer.kind === 'embedding';
  const side = embedding ? 'input' : boft ? 'output' : t.side;
  return testAdapter(
    layer,
    boft && t.count === 1 ? 2 : t.count,
    {
      ...(side === 'input' ? peftSettings : defaultSettings),
      side,
      algorithm: boft ? 'boft' : 'diag',
      ...(t.exact && { neumannTerms: null }),
      rescale: t.rescale && !embedding,
    },
    roll,
    { size: 0.1, share: t.share && !boft, ...(boft && { stages: t.count === 4 ? 3 : 2 }) },
  );
}

/** What the two models differ by, and the nodes of the one that is written. */
async function differences(c: Case, t: Turned, seed: number) {
  const roll = seeded(seed);
  const { model, x } = modelOf(c, roll);
  const layer = findLayers(importGraph(model, {}), { embeddings: true })[0]!;
  const adapter = adapterOf(layer, t, roll);
  const { files } = await writeAdapter('onnx', { layers: [adapter], model: { model, strength: t.strength } });
  const merged = mergeWeight(adapter, torchWeights(model)(layer), t.strength);
  const [got, want] = [
    await run(files[0]!.bytes, { x }),
    await run(encodeModel(floating(model, layer, merged)), { x }),
  ];
  return { error: relative(got.y!, want.y!), written: decodeModel(files[0]!.bytes), model };
}

const plain: Case = {
  kind: 'MatMulNBits',
  bits: 4,
  blocked: true,
  zeros: false,
  bias: false,
  rank: 3,
  opset: 21,
  kernel: 1,
  groups: 1,
};
const turned: Turned = {
  side: 'input',
  algorithm: 'diag',
  count: 4,
  exact: false,
  rescale: false,
  share: false,
  strength: 1,
};

describe('a rotation beside a weight of few bits', () => {
  it.each<[string, Partial<Case>, Partial<Turned>, string[]]>([
    ['the input', {}, {}, ['Shape', 'Reshape', 'Transpose', 'MatMul', 'Transpose', 'Reshape', 'MatMulNBits']],
    [
      'the output',
      {},
      { side: 'output' },
      ['MatMulNBits', 'Shape', 'Reshape', 'Transpose', 'MatMul', 'Transpose', 'Reshape'],
    ],
    ['one block', {}, { count: 1 }, ['MatMul', 'MatMulNBits']],
    [
      'the output under a bias',
      { bias: true },
      { side: 'output', count: 1 },
      ['MatMulNBits', 'MatMul', 'Add'],
    ],
    [
      'the input with scales',
      { bias: true },
      { count: 1, rescale: true },
      ['MatMul', 'MatMulNBits', 'Mul', 'Add'],
    ],
    ['the input of a MatMul', { kind: 'MatMul' }, { count: 1 }, ['DequantizeLinear', 'MatMul', 'MatMul']],
  ])('is nodes on %s', async (_, c, t, ops) => {
    const { error, written, model } = await differences({ ...plain, ...c }, { ...turned, ...t }, 3);
    expect(error).toBeLessThan(1e-5);
    expect(written.graph.nodes.map((n) => n.op)).toEqual(ops);
    expect(written.opsets).toEqual(model.opsets);
    // What is packed is the file's own, bit for bit.
    for (const [name, constant] of model.graph.initializers)
      expect(written.graph.initializers.get(name)).toEqual(constant);
  });

  const cases = fc.record<Case>({
    kind: fc.constantFrom('MatMulNBits', 'MatMulNBits', 'MatMul', 'Gemm', 'Conv', 'Gather'),
    bits: fc.constantFrom(4, 8),
    blocked: fc.boolean(),
    zeros: fc.boolean(),
    bias: fc.boolean(),
    rank: fc.constantFrom(2, 3),
    opset: fc.constantFrom(10, 13, 21),
    kernel: fc.constantFrom(1, 3),
    groups: fc.constantFrom(1, 2),
  });
  const turns = fc.record<Turned>({
    side: fc.constantFrom('input', 'output'),
    algorithm: fc.constantFrom('diag', 'boft'),
    count: fc.constantFrom(1, 2, 4),
    exact: fc.boolean(),
    rescale: fc.boolean(),
    share: fc.boolean(),
    strength: fc.constantFrom(1, 1, 0.5),
  });

  it(
    'gives what the merged weight gives, whatever the layer and the rotation',
    async () => {
      await fc.assert(
        fc.asyncProperty(cases, turns, fc.integer({ min: 1, max: 1e6 }), async (c, t, seed) => {
          const { error } = await differences(c, t, seed);
          expect(error).toBeLessThan(1e-5);
        }),
        { numRuns: depth(60, 2000) },
      );
    },
    depth(120_000, 900_000),
  );

  it('is beside every node of a shared weight', async () => {
    const roll = seeded(5);
    const { model, x } = modelOf({ ...plain, kind: 'MatMul' }, roll);
    const [dequantised, own] = model.graph.nodes;
    const twice: Model = {
      ...model,
      graph: {
        ...model.graph,
        nodes: [
          dequantised!,
          { ...own!, outputs: ['a'] },
          node('Neg', ['x'], 'minus'),
          { ...own!, name: 'again', inputs: own!.inputs.with(0, 'minus'), outputs: ['b'] },
          node('Sub', ['a', 'b'], 'y'),
        ],
      },
    };
    const layers = findLayers(importGraph(twice, {}));
    expect(layers).toHaveLength(1);
    const adapter = adapterOf(layers[0]!, turned, roll);
    const written = async (of: Model) =>
      (await writeAdapter('onnx', { layers: [adapter], model: { model: of } })).files[0]!.bytes;
    const [one, two] = [await run(await written(model), { x }), await run(await written(twice), { x })];
    expect(
      relative(
        two.y!,
        one.y!.map((v) => 2 * v),
      ),
    ).toBeLessThan(1e-5);
  });

  it('computes in half precision where the model does', async () => {
    const roll = seeded(6);
    const { model } = modelOf(plain, roll);
    const scales = tensorOf(model.graph.initializers.get('w_scales')!);
    const half: Model = {
      ...model,
      graph: {
        ...model.graph,
        inputs: model.graph.inputs.map((input) => ({ ...input, type: 'float16' as const })),
        outputs: model.graph.outputs.map((output) => ({ ...output, type: 'float16' as const })),
        initializers: new Map(model.graph.initializers).set(
          'w_scales',
          constantOf(tensor('float16', scales.shape, scales.data as Float32Array)),
        ),
      },
    };
    const adapter = adapterOf(findLayers(importGraph(half, {}))[0]!, { ...turned, side: 'output' }, roll);
    const { files } = await writeAdapter('onnx', { layers: [adapter], model: { model: half } });
    const { initializers } = decodeModel(files[0]!.bytes).graph;
    expect([...initializers].find(([name]) => name.endsWith('/R'))?.[1].type).toBe('float16');
  });

  it('leaves the scales as they are where other weights are halved', async () => {
    const roll = seeded(7);
    const { model } = modelOf(plain, roll);
    const wide = floats([300, 2], roll);
    const scaled: Model = {
      ...model,
      graph: { ...model.graph, initializers: new Map(model.graph.initializers).set('w_scales', wide) },
    };
    const adapter = adapterOf(findLayers(importGraph(model, {}))[0]!, turned, roll);
    const { files } = await writeAdapter('onnx_fp16', { layers: [adapter], model: { model: scaled } });
    expect(decodeModel(files[0]!.bytes).graph.initializers.get('w_scales')).toEqual(wide);
  });

  it('is refused for a model of other sizes', async () => {
    const roll = seeded(8);
    const { model } = modelOf(plain, roll);
    const layer = findLayers(importGraph(model, {}))[0]!;
    const adapter = adapterOf({ ...layer, out: 2 * OUT }, turned, roll);
    await expect(writeAdapter('onnx', { layers: [adapter], model: { model } })).rejects.toThrow(
      /MatMulNBits n\/y\/MatMulNBits has a weight of shape \[16,32\].*another model/,
    );
  });
});

describe('the numbers of a weight in few bits', () => {
  const weightOf = (change: (node: Node) => Node, add: readonly [string, Constant][] = []) => {
    const { model } = modelOf({ ...plain, zeros: true }, seeded(9));
    const layer = findLayers(importGraph(model, {}))[0]!;
    const { graph } = model;
    const initializers = new Map([...graph.initializers, ...add]);
    return torchWeights({ ...model, graph: { ...graph, nodes: graph.nodes.map(change), initializers } })(
      layer,
    );
  };

  it.each<[string, (node: Node) => Node, RegExp]>([
    [
      'another order of columns',
      (n) => ({ ...n, inputs: [...n.inputs, 'order'] }),
      /another order \(g_idx\)/,
    ],
    ['two bits', (n) => ({ ...n, attributes: { ...n.attributes, bits: int(2) } }), /2 bits in blocks of 16/],
    [
      'other blocks',
      (n) => ({ ...n, attributes: { ...n.attributes, block_size: int(32) } }),
      /do not fit K = 32/,
    ],
    ['a computed weight', (n) => ({ ...n, inputs: n.inputs.with(1, 'x') }), /its input x is not stored/],
    ['short zero points', (n) => ({ ...n, inputs: n.inputs.with(3, 'few') }), /zero points do not fit/],
  ])('are refused with %s', (_, change, message) => {
    const order = constantOf(
      tensor(
        'int32',
        [IN],
        Array.from({ length: IN }, () => 1),
      ),
    );
    const few = constantOf(tensor('uint8', [1], [0]));
    expect(() =>
      weightOf(change, [
        ['order', order],
        ['few', few],
      ]),
    ).toThrow(message);
  });

  it('may have zero points that are no whole numbers', () => {
    const zeros = (type: DType, value: number): [string, Constant] => [
      'zeros',
      constantOf(
        tensor(
          type,
          type === 'uint8' ? [OUT] : [OUT, 2],
          Array<number>(type === 'uint8' ? OUT : 2 * OUT).fill(value),
        ),
      ),
    ];
    const change = (n: Node): Node => ({ ...n, inputs: n.inputs.with(3, 'zeros') });
    // A byte of 0x77 holds the zero points 7 of two blocks.
    const [whole, float] = [
      weightOf(change, [zeros('uint8', 0x77)]),
      weightOf(change, [zeros('float32', 7)]),
    ];
    expect(float).toEqual(whole);
  });
});
