import { describe, expect, it, test } from 'vitest';
import { attributes, type AttributeInput } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Shape, Value } from '#src/graph/types.ts';
import { numbersOf, sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { builder, operators } from '../table.ts';
import { apply, checkForms } from '../testing/apply.ts';
import { checkFold } from '../testing/foldCheck.ts';
import { checkGradient } from '../testing/gradcheck.ts';
import { runGraph } from '../testing/runGraph.ts';

type Attrs = Record<string, AttributeInput>;
const indices = (shape: Shape, values: readonly number[]): Tensor => tensor('int64', shape, values);
const counting = (...shape: number[]): Tensor =>
  tensor(
    'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => i + 1),
  );

/** The gradient by x of op(x, indices), with the indices a constant, an int64 input and, if allowed, an int32 input. */
async function gradients(
  op: string,
  shape: number[],
  at: Tensor,
  attrs: Attrs,
  types = ['int64', 'int32'],
): Promise<void> {
  await checkGradient({
    build: (g: Builder, [x]: Value[]) => g.emit(op, [x!, g.constant(at)], attrs),
    inputs: [{ shape }],
  });
  for (const type of types)
    await checkGradient({
      build: (g: Builder, [x, i]: Value[]) => g.emit(op, [x!, i!], attrs),
      inputs: [{ shape }, { shape: at.shape, type: type as 'int64', values: numbersOf(at) }],
    });
}

describe('Gather', () => {
  test.each<[string, number[], Tensor, number]>([
    ['one place', [4, 3], indices([], [2]), 0],
    ['the last place', [2, 4, 3], indices([], [-1]), 1],
    ['a list', [5, 2], indices([3], [4, 0, 2]), 0],
    ['repeated and negative places', [3, 2], indices([5], [0, 2, 0, -1, 1]), 0],
    ['a matrix of places, inner axis', [2, 4, 3], indices([2, 2], [3, 1, 1, 0]), 1],
    ['the last axis', [2, 3, 4], indices([6], [0, 3, 3, 1, -2, 3]), -1],
    ['consecutive places', [6, 2], indices([3], [2, 3, 4]), 0],
    ['tokens', [7, 3], indices([2, 4], [1, 1, 6, 0, 6, 6, 2, 1]), 0],
  ])('%s', async (_, shape, at, axis) => {
    await checkFold({ op: 'Gather', inputs: [counting(...shape), at], attributes: attributes({ axis }) });
    await gradients('Gather', shape, at, { axis });
  });

  it('of consecutive constant places is differentiated by padding', async () => {
    const { emitted } = await checkGradient({
      build: (g, [x]) => g.emit('Gather', [x!, g.constant(indices([], [0]))], { axis: 1 }),
      inputs: [{ shape: [2, 5, 3] }],
    });
    expect(emitted.map((n) => n.op)).toEqual(['Reshape', 'Pad']);
  });

  it('takes shapes from ints at index 0', async () => {
    await checkFold({ op: 'Gather', inputs: [indices([3], [5, 6, 7]), indices([], [1])] });
  });

  it('refuses a constant index out of range', () => {
    const node = { op: 'Gather', domain: '', name: 'n', inputs: [], outputs: [], attributes: {} };
    expect(() => operators.Gather!.fold!(node, [counting(3), indices([1], [3])])).toThrow(
      /index 3 is out of range/,
    );
  });
});

describe('GatherElements', () => {
  test.each<[number[], Tensor, number]>([
    [[3, 3], indices([2, 3], [0, 1, 2, 2, 1, 0]), 0],
    [[3, 3], indices([3, 2], [0, 0, -1, 1, 2, 2]), 1],
    [
      [2, 3, 4],
      indices(
        [2, 3, 5],
        Array.from({ length: 30 }, (_, i) => (i * 7) % 4),
      ),
      -1,
    ],
  ])('%j', (shape, at, axis) => gradients('GatherElements', shape, at, { axis }));
});

describe('GatherND', () => {
  test.each<[string, number[], Tensor, number]>([
    ['elements', [2, 3], indices([3, 2], [0, 0, 1, 2, 0, 0]), 0],
    ['rows, repeated', [3, 4], indices([2, 2, 1], [2, 0, 2, 1]), 0],
    ['with one batch dimension', [2, 3, 4], indices([2, 2, 1], [2, 0, 1, 1]), 1],
    ['with two batch dimensions', [2, 2, 3, 2], indices([2, 2, 2, 1], [0, 2, 1, 1, 2, 0, 0, 0]), 2],
  ])('%s', (_, shape, at, batch_dims) => gradients('GatherND', shape, at, { batch_dims }, ['int64']));
});

describe('ScatterND and ScatterElements', () => {
  const nd = indices([3, 1], [4, 0, 2]);
  test.each<[string, Tensor, number[]]>([
    ['none', nd, [3, 2]],
    ['add', nd, [3, 2]],
    ['add', indices([3, 1], [1, 1, 1]), [3, 2]],
    ...['mul', 'max', 'min'].flatMap((how): [string, Tensor, number[]][] => [
      [how, nd, [3, 2]],
      [how, indices([3, 1], [1, 1, 1]), [3, 2]],
      [how, indices([2, 2], [1, 1, 1, 1]), [2]],
    ]),
  ])('ScatterND %s', async (reduction, at, updates) => {
    await checkGradient({
      build: (g, [x, u]) => g.emit('ScatterND', [x!, g.constant(at), u!], { reduction }),
      inputs: [{ shape: [5, 2] }, { shape: updates }],
    });
  });

  test.each<[string, Tensor, number]>([
    ['none', indices([2, 3], [0, 1, 2, 1, 2, 0]), 0],
    ['add', indices([2, 3], [0, 0, 0, 0, 2, 0]), 0],
    ['add', indices([2, 2], [1, 1, 0, 2]), 1],
    ...['mul', 'max', 'min'].flatMap((how): [string, Tensor, number][] => [
      [how, indices([2, 3], [0, 1, 2, 1, 2, 0]), 0],
      [how, indices([3, 2], [1, 1, 0, 2, 2, 2]), 1],
    ]),
  ])('ScatterElements %s', async (reduction, at, axis) => {
    await checkGradient({
      build: (g, [x, u]) => g.emit('ScatterElements', [x!, g.constant(at), u!], { reduction, axis }),
      inputs: [{ shape: [3, 3] }, { shape: [...at.shape] }],
    });
  });

  it('name updates that do not fit', () => {
    const g = builder();
    const [x, u] = [g.input('x', 'float32', [5, 2]), g.input('u', 'float32', [2, 2])];
    expect(() => g.emit('ScatterND', [x, g.constant(nd), u])).toThrow(/should have the shape \[3,2\]/);
  });
});

test.each(['none', 'add', 'mul', 'max', 'min'])('scatters of reduction %s fold', async (reduction) => {
  const updates = (...shape: number[]): Tensor =>
    tensor(
      'float32',
      shape,
      Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7) % 11) - 4),
    );
  // Places repeat only where the order does not matter.
  const twice = reduction === 'none' ? 2 : 0;
  const attrs = attributes({ reduction });
  const nd = [counting(3, 4, 2), indices([2, 2, 2], [0, 1, 2, -1, twice, 0, -2, 2]), updates(2, 2, 2)];
  await checkFold({ op: 'ScatterND', inputs: nd, attributes: attrs });
  const at = indices([2, 3], reduction === 'none' ? [0, 2, -1, 1, 0, 1] : [0, 2, 2, 0, 1, 1]);
  for (const axis of [0, 1])
    await checkFold({
      op: 'ScatterElements',
      inputs: [counting(3, 3), at, updates(2, 3)],
      attributes: attributes({ reduction, axis }),
    });
});

test('GatherElements and GatherND fold', async () => {
  const at = indices([2, 3, 2], [0, 1, 2, -1, 1, 1, 0, 0, 2, 1, -3, 2]);
  for (const axis of [1, -2])
    await checkFold({
      op: 'GatherElements',
      inputs: [counting(2, 3, 4), at],
      attributes: attributes({ axis }),
    });
  const nd = { op: 'GatherND', attributes: attributes({}) };
  await checkFold({ ...nd, inputs: [counting(2, 3, 4), indices([2, 2], [0, 1, -1, 2])] });
  await checkFold({
    ...nd,
    inputs: [counting(2, 3, 4, 2), indices([2, 3, 1], [0, 1, 2, 2, 1, -1])],
    attributes: attributes({ batch_dims: 1 }),
  });
});

test.each<[string, Attrs]>([
  ['ArgMax', { axis: 1 }],
  ['ArgMax', { axis: 0, keepdims: 0 }],
  ['ArgMax', { axis: 2, select_last_index: 1 }],
  ['ArgMin', { axis: -1, keepdims: 0 }],
  ['TopK', { axis: 1 }],
  ['TopK', { axis: -1, largest: 0 }],
])('%s %j folds, ties included', async (op, attrs) => {
  const values = [3, 1, 3, 2, 2, 2, -1, 5, 5, 0, 0, 0, 4, 4, 1, 1, 9, -2];
  const x = tensor('float32', [2, 3, 3], values);
  const count = op === 'TopK' ? [tensor('int64', [1], [2])] : [];
  await checkFold({
    op,
    inputs: [x, ...count],
    attributes: attributes(attrs),
    outputs: op === 'TopK' ? 2 : 1,
  });
});

test.each([undefined, 0, 1, -1])('Compress along %s', async (axis) => {
  const condition = tensor('bool', [3], [1, 0, 1]);
  const attrs = axis === undefined ? {} : { axis };
  await checkForms({ op: 'Compress', inputs: [counting(3, 3), condition], attrs, data: [0] });
  await checkFold({ op: 'Compress', inputs: [counting(3, 3), condition], attributes: attributes(attrs) });
  await checkGradient({
    build: (g, [x]) => apply(g, 'Compress', [x!, g.constant(condition)], attrs),
    inputs: [{ shape: [3, 3] }],
  });
});

test.each([
  [{}, undefined],
  [{ upper: 0 }, 1],
  [{ upper: 1 }, -1],
  [{ upper: 0 }, -2],
])('Trilu %j %s', async (attrs: Attrs, k) => {
  const shift = k === undefined ? [] : [tensor('int64', [], [k])];
  await checkFold({ op: 'Trilu', inputs: [counting(2, 3, 4), ...shift], attributes: attributes(attrs) });
  await checkGradient({
    build: (g, [x]) => g.emit('Trilu', [x!, ...shift.map((t) => g.constant(t))], attrs),
    inputs: [{ shape: [2, 3, 4] }],
  });
});

test.each([
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
])('CumSum exclusive %i reverse %i', async (exclusive, reverse) => {
  for (const axis of [0, -1]) {
    const inputs = [counting(3, 4), tensor('int64', [], [axis])];
    await checkFold({ op: 'CumSum', inputs, attributes: attributes({ exclusive, reverse }) });
    await checkGradient({
      build: (g, [x]) => g.emit('CumSum', [x!, g.constant(inputs[1]!)], { exclusive, reverse }),
      inputs: [{ shape: [3, 4] }],
    });
  }
});

test.each([
  [0, 1],
  [-1, 0],
])('TopK along %i, largest %i', async (axis, largest) => {
  await checkGradient({
    build: (g, [x]) => g.emitAll('TopK', [x!, g.ints([2])], { axis, largest }, { outputs: 2 })[0]!,
    inputs: [{ shape: [4, 5] }],
    seed: 3,
  });
});

test.each([
  [{}, [1, 4]],
  [{ axis: 1, keepdims: 0 }, [3]],
  [{ axis: -1 }, [3, 1]],
])('ArgMax %j has the shape %j, and stops gradients', async (attrs: Attrs, shape) => {
  const g = builder();
  const y = g.emit('ArgMax', [g.input('x', 'float32', [3, 4])], attrs);
  expect([y.type, y.shape]).toEqual(['int64', shape]);
  const { gradients } = await checkGradient({
    build: (b, [x]) => b.cast(b.emit('ArgMax', [x!], attrs), x!.type),
    inputs: [{ shape: [3, 4] }],
  });
  expect(gradients).toEqual([null]);
});

test.each([-1, 0, 1])('OneHot along %i becomes comparisons', async (axis) => {
  const make = (lower: boolean): Promise<Record<string, Tensor>> => {
    const g = builder();
    const inputs = [
      g.input('i', 'int64', [2, 3]),
      g.constant(tensor('int64', [], [4])),
      g.constant(tensor('float32', [2], [-1, 5])),
    ];
    const y = g.emit('OneHot', inputs, { axis });
    const made = lower ? operators.OneHot!.lower!(g, g.nodes.at(-1)!, inputs)![0]! : y;
    expect(made.shape).toEqual(y.shape);
    return runGraph(g.build([g.emit('Identity', [made], {}, { outputNames: ['y'] })]), {
      i: indices([2, 3], [0, 3, -1, 2, -4, 7]),
    });
  };
  const [lowered, direct] = [await make(true), await make(false)];
  expect(numbersOf(lowered.y!)).toEqual(numbersOf(direct.y!));
  await checkFold({
    op: 'OneHot',
    inputs: [
      indices([2, 3], [0, 3, -1, 2, -4, 7]),
      tensor('int64', [], [4]),
      tensor('float32', [2], [-1, 5]),
    ],
    attributes: attributes({ axis }),
  });
});
