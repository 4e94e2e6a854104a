import { describe, expect, it, test } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import { type AttributeInput, float } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { Constant, DType, Node } from '#src/onnx/model.ts';
import { constantOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { expansions } from './operators.ts';
import { importGraph } from '../import/import.ts';
import { builder, infer, operators } from '../table.ts';
import { checkGradient } from '../testing/gradcheck.ts';
import { graphOf, model, n, ramp, value } from '../testing/models.ts';

type Attrs = Record<string, AttributeInput | undefined>;

const ms = (op: string, inputs: string[], outputs: string[], attrs: Attrs = {}): Node => ({
  ...n(op, inputs, outputs, attrs),
  domain: 'com.microsoft',
});

/** Imports one node over inputs x0, x1 … of the given types and shapes. */
function imported(node: Node, inputs: readonly (readonly [DType, readonly number[]])[], weights = {}): Graph {
  const graph = graphOf(
    [node],
    weights,
    inputs.map(([type, shape], i) => value(`x${i}`, type, shape)),
    [...node.outputs].filter(Boolean),
  );
  return importGraph(model(graph, 23));
}

const bytes = (shape: readonly number[]): Tensor =>
  tensor(
    'uint8',
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 37) % 256),
  );

describe('what cannot be trained is refused with the way out', () => {
  const grouped = (attrs: Attrs, more: string[] = []): Node =>
    // Lengths (inputs 5 and 6) must be there; nothing here reads them.
    ms('GroupQueryAttention', ['x0', 'x1', 'x1', more[0] ?? '', more[1] ?? '', 'x0', 'x0'], ['y'], {
      num_heads: 2,
      kv_num_heads: 1,
      ...attrs,
    });
  const query = ['float32', [1, 3, 8]] as const;
  const key = ['float32', [1, 3, 4]] as const;
  const past = ['float32', [1, 1, 2, 4]] as const;

  it('a cache with positions in it', () => {
    expect(() => imported(grouped({}, ['x2', 'x2']), [query, key, past])).toThrow(
      /past keys and values \(x2\) hold 2 positions.*bind the length of the past to 0/,
    );
  });

  it('an empty cache is none', () => {
    const graph = imported(grouped({}, ['x2', 'x2']), [query, key, ['float32', [1, 1, 0, 4]]]);
    expect(graph.nodes.flatMap((node) => node.inputs)).not.toContain('x2');
  });

  test.each<[string, Node, RegExp]>([
    ['a quantised cache', grouped({ k_quant_type: 'PER_TENSOR' }), /cache is quantised/],
    ['heads that do not divide', grouped({ num_heads: 3 }), /cannot be cut into 3 heads/],
    [
      'rotary embedding in the fused projection',
      ms('Attention', ['x0', 'w'], ['y'], { num_heads: 2, do_rotary: 1 }),
      /Export the model with separate operators/,
    ],
    [
      'lengths in a row',
      ms('MultiHeadAttention', ['x0', 'x0', 'x0', '', 'long'], ['y'], { num_heads: 2 }),
      /a mask of 5 numbers/,
    ],
    [
      'statistics of a normalisation',
      ms('SkipLayerNormalization', ['x0', 'x0', 'g', 'g'], ['y', 'mean']),
      /its output 1 \("mean"\) is not supported/,
    ],
    [
      'an unknown activation',
      ms('FusedGemm', ['m', 'm'], ['y'], { activation: 'Frob' }),
      /the activation Frob is not supported/,
    ],
  ])('%s', (_, node, why) => {
    const weights = {
      w: ramp(8, 24),
      long: tensor('int32', [5], [1, 2, 3, 4, 5]),
      g: ramp(8),
      m: ramp(2, 2),
    };
    expect(() => imported(node, [query, key], weights)).toThrow(why);
  });

  test.each([
    ['MatMulInteger16', 2, /not supported yet/],
    ['DynamicQuantizeLSTM', 12, /recurrent layers are not supported/],
  ])('%s', (op, count, why) => {
    const weights = { w: bytes([4, 4]) };
    expect(() =>
      imported(ms(op, ['x0', ...Array<string>(count - 1).fill('w')], ['y']), [['uint8', [4, 4]]], weights),
    ).toThrow(why);
  });
});

describe('rounded activations', () => {
  it('stop a gradient with an error behind a Cast, too', () => {
    const g = builder();
    const x = g.input('x', 'float32', [2, 3]);
    const q = g.emit('QuantizeLinear', [x, g.scalar(0.1), g.constant(tensor('uint8', [], [0]))]);
    const y = g.emit('Cast', [q], { to: 1 });
    expect(() => backward(g, new Map([[y.name, y]]), [x])).toThrow(/rounded activations/);
  });

  const g = builder();
  const x = g.input('x', 'float32', [2, 3]);
  const scale = g.scalar(0.1);
  const zero = g.constant(tensor('int8', [], [0]));

  it('stop a gradient with an error, not with zero', () => {
    const q = g.emit('QuantizeLinear', [x, scale, zero]);
    const y = g.emit('DequantizeLinear', [q, scale, zero]);
    expect(() => backward(g, new Map([[y.name, y]]), [x])).toThrow(/rounding has no gradient.*weights alone/);
  });

  it('of a dynamic range too', () => {
    const [q, s, z] = g.emitAll('DynamicQuantizeLinear', [x], {}, { outputs: 3 });
    const y = g.emit('DequantizeLinear', [q!, s!, z!]);
    expect(() => backward(g, new Map([[y.name, y]]), [x])).toThrow(/no gradient/);
  });

  it('behind the trained part do not matter', () => {
    const q = g.emit('QuantizeLinear', [x, scale, zero]);
    const w = g.input('w', 'float32', [3, 2]);
    const y = g.matMul(g.emit('DequantizeLinear', [q, scale, zero]), w);
    const [dw] = backward(g, new Map([[y.name, y]]), [w]);
    expect(dw!.shape).toEqual([3, 2]);
  });

  it('refuses scales that do not fit', () => {
    expect(() => g.emit('QuantizeLinear', [x, g.constant(ramp(4))])).toThrow(
      /scales of shape \[4\] do not fit/,
    );
  });
});

describe('MatMulNBits', () => {
  const attrs = { K: 32, N: 6, block_size: 16, bits: 4 };
  const node = (name: string, more: string[] = [], other: Attrs = {}): Node =>
    ms('MatMulNBits', ['x0', name, 'scales', ...more], ['y'], { ...attrs, ...other });
  const weights = {
    scales: ramp(6, 2),
    'layers.0.q.weight_Q4': bytes([6, 2, 8]),
    'k.qweight': bytes([6, 2, 8]),
  };
  const x = ['float32', [2, 32]] as const;

  test.each([
    ['layers.0.q.weight_Q4', 'layers.0.q.weight'],
    ['k.qweight', 'k.weight'],
  ])('takes the bytes of %s as they are, under the name of the float weight', (name, plain) => {
    const graph = imported(node(name), [x], weights);
    expect(graph.nodes.map((v) => v.op)).toEqual(['DequantizeLinear', 'Gemm', 'Identity']);
    const weight = graph.constants.get(plain)!;
    expect([weight.type, weight.shape]).toEqual(['uint4', [6, 32]]);
    const file = constantOf(weights[name as 'k.qweight']) as Constant & { data: { kind: 'inline' } };
    expect((weight as typeof file).data.bytes).toEqual(file.data.bytes);
    expect(graph.constants.has(name)).toBe(false);
  });

  it('keeps a range of an external file', () => {
    const data = { kind: 'external', location: 'model.data', offset: 64, length: 96 } as const;
    const g = builder();
    const a = g.input('a', 'float32', [2, 32]);
    const packed = g.initializer('w_Q4', { type: 'uint8', shape: [6, 2, 8], data });
    const read = { ...node('w_Q4'), inputs: ['a', 'w_Q4', 's'] };
    operators['com.microsoft::MatMulNBits']!.expand!(g, read, [
      a,
      packed,
      g.initializer('s', constantOf(ramp(6, 2))),
    ]);
    expect(g.constants.get('w')).toEqual({ type: 'uint4', shape: [6, 32], data });
  });

  test.each<[string, Node, RegExp]>([
    ['two bits', node('k.qweight', [], { bits: 2 }), /weights of 2 bits are not supported/],
    ['packing for a GPU', node('k.qweight', [], { weight_prepacked: 1 }), /packed for one kind of GPU/],
    ['a wrong size', node('k.qweight', [], { N: 5 }), /does not fit K = 32, N = 5/],
    ['columns in another order', node('k.qweight', ['', 'order']), /reordered \(g_idx\)/],
    [
      'a computed weight',
      ms('MatMulNBits', ['x0', 'x1', 'scales'], ['y'], attrs),
      /is computed, but must be stored/,
    ],
  ])('refuses %s', (_, bad, why) => {
    const order = tensor(
      'int32',
      [32],
      Array.from({ length: 32 }, (_v, i) => i % 2),
    );
    expect(() => imported(bad, [x, ['uint8', [6, 2, 8]]], { ...weights, order })).toThrow(why);
  });

  it('accepts columns in their natural order', () => {
    const order = tensor(
      'int32',
      [32],
      Array.from({ length: 32 }, (_, i) => Math.floor(i / 16)),
    );
    expect(imported(node('k.qweight', ['', 'order']), [x], { ...weights, order }).nodes).toHaveLength(3);
  });
});

describe('attention', () => {
  it('needs no copies of keys that heads share', () => {
    const g = builder();
    const [q, k] = [g.input('q', 'float32', [1, 4, 3, 2]), g.input('k', 'float32', [1, 2, 3, 2])];
    operators.Attention!.expand!(g, n('Attention', ['q', 'k', 'k'], ['y']), [q, k, k]);
    expect(g.nodes.map((node) => node.op)).not.toContain('Expand');
    expect(g.nodes.filter((node) => node.op === 'MatMul')).toHaveLength(2);
  });

  it('shares one causal mask among layers of one shape', () => {
    const g = builder();
    const q = g.input('q', 'float32', [1, 4, 3, 2]);
    const node = n('Attention', ['q', 'q', 'q'], ['y'], { is_causal: 1 });
    for (let i = 0; i < 3; i++) operators.Attention!.expand!(g, node, [q, q, q]);
    expect(g.nodes.filter((v) => v.op === 'LessOrEqual')).toHaveLength(1);
  });

  it('leaves no mask where a causal query sees all', () => {
    const g = builder();
    const [q, k] = [g.input('q', 'float32', [1, 1, 1, 2]), g.input('k', 'float32', [1, 1, 1, 2])];
    operators.Attention!.expand!(g, n('Attention', ['q', 'k', 'k'], ['y'], { is_causal: 1 }), [q, k, k]);
    expect(g.nodes.map((v) => v.op)).not.toContain('Where');
  });

  /** A gradient that multiplies by a mask's −∞ is NaN. */
  test.each(['bool', 'float'] as const)(
    'has finite gradients where a %s mask hides all keys of a query',
    async (kind) => {
      const hidden = [0, 1, 1, 0, 0, 0];
      const values = kind === 'bool' ? hidden : hidden.map((seen) => (seen ? 0 : -Infinity));
      const { gradients, outputs } = await checkGradient({
        inputs: [2, 3, 3].map((rows) => ({ shape: [1, 2, rows, 3] })),
        build: (g, [q, k, v]) => {
          const mask = g.constant(tensor(kind === 'bool' ? 'bool' : q!.type, [2, 3], values));
          const node = n('Attention', ['', '', '', ''], ['y']);
          return operators.Attention!.expand!(g, node, [q!, k!, v!, mask])![0]!;
        },
      });
      expect(gradients.flatMap((v) => [...v!]).every(Number.isFinite)).toBe(true);
      expect(Array.from(outputs[0]!.data as Float64Array).slice(3, 6)).toEqual([0, 0, 0]);
    },
  );
});

describe('shapes', () => {
  /** What the table infers for a node must be what its expansion makes. */
  const agree = (op: string, node: Node, inputs: (g: Builder) => (Value | null)[]): void => {
    const g = builder();
    const given = inputs(g);
    const named = { ...node, inputs: given.map((v) => v?.name ?? '') };
    const inferred = infer(named, given, (i) => g.constantValue(given[i]));
    const made = expansions[op]!.expand!(g, named, given)!;
    expect(made.map(({ type, shape }) => ({ type, shape }))).toEqual(
      inferred.slice(0, made.length).map(({ type, shape }) => ({ type, shape })),
    );
  };

  it('of attention with a cache', () => {
    agree('Attention', n('Attention', [], ['y', 'k', 'v'], { q_num_heads: 4, kv_num_heads: 2 }), (g) => [
      g.input('q', 'float32', [2, 3, 8]),
      g.input('k', 'float32', [2, 5, 4]),
      g.input('v', 'float32', [2, 5, 6]),
      null,
      g.input('pk', 'float32', [2, 2, 1, 2]),
      g.input('pv', 'float32', [2, 2, 1, 3]),
    ]);
  });

  it('of one value given twice', () => {
    agree(
      'com.microsoft::SkipLayerNormalization',
      ms('SkipLayerNormalization', [], ['y', '', '', 'sum'], { epsilon: float(1) }),
      (g) => {
        const x = g.input('x', 'float32', [2, 4]);
        return [x, x, g.constant(ramp(4))];
      },
    );
  });

  test.each([
    ['uint8', 4, [6, 32]],
    ['uint8', 8, [6, 64]],
    ['uint4', 4, [6, 64]],
  ] as const)('of a table of %s with %i bits', (type, bits, shape) => {
    const node = ms('GatherBlockQuantized', [], ['y'], { bits, block_size: 16 });
    agree('com.microsoft::GatherBlockQuantized', node, (g) => [
      g.initializer('t', constantOf({ type, shape, data: new Uint8Array(6 * 64) })),
      g.input('i', 'int64', [2]),
      g.constant(ramp(6, 4)),
    ]);
  });
});

test('every entry is written out, has a gradient, or has a reason', () => {
  const open = Object.entries(expansions).filter(([, v]) => !v.expand && v.grad === undefined);
  const integers = /Integer|QLinear|QGemm|QAttention|QEmbed|DynamicQuantize|QuantizeLinear|NhwcMaxPool/;
  expect(open.map(([op]) => op).filter((op) => !integers.test(op))).toEqual([]);
});
