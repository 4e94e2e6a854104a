import { describe, expect, it, test } from 'vitest';
import type { Dim, Model } from '#src/onnx/model.ts';
import { model as modelOf } from '#src/ops/testing/models.ts';
import { bindInputs, listDims } from './bind.ts';
import { evaluateDim, namesIn } from './dims.ts';
import { GraphError } from './types.ts';

const model = (inputs: Record<string, readonly Dim[] | null>): Model =>
  modelOf({
    name: '',
    inputs: Object.entries(inputs).map(([name, shape]) => ({ name, type: 'float32', shape })),
    outputs: [{ name: 'y', type: 'float32', shape: ['LayerNormalizationlast_hidden_state_dim_1'] }],
    nodes: [],
    initializers: new Map(),
  });

describe('dimension expressions', () => {
  const sizes = new Map(Object.entries({ a: 7, b: 2, 'batch size': 3, past_length: 5, 'unk__1.x': 4 }));
  test.each([
    ['a', 7],
    ['a + b', 9],
    ['a - b*2', 3],
    ['2*(a - b)', 10],
    ['a//b', 3],
    ['floor(a/b)', 3],
    ['ceil(a/b) + 1', 5],
    ['max(a, b, 9)', 9],
    ['Min(a, b)', 2],
    ['a % b', 1],
    ['-b + past_length', 3],
    ['batch size', 3],
    ['unk__1.x', 4],
    ['12', 12],
  ])('%s is %i', (dim, value) => expect(evaluateDim(dim, sizes)).toBe(value));

  it('has no value while a name is missing or where it is no expression', () => {
    expect(evaluateDim('a + c', sizes)).toBeUndefined();
    expect(evaluateDim('a b', sizes)).toBeUndefined();
    expect(evaluateDim('(a', sizes)).toBeUndefined();
  });

  it('must come to a whole number', () => {
    expect(() => evaluateDim('a/b', sizes)).toThrow(/"a\/b" comes to 3.5/);
    expect(() => evaluateDim('b - a', sizes)).toThrow(GraphError);
  });

  it('has names', () => {
    expect(namesIn('past + 2*floor(seq/past)')).toEqual(['past', 'seq']);
    expect(namesIn('batch@size')).toEqual(['batch@size']);
  });
});

describe('binding', () => {
  const inputs = {
    ids: ['batch', 'seq'],
    mask: ['batch', 'past + seq'],
    image: [null, 3, 'batch'],
  };

  it('lists every name once, with its inputs, and no output dimensions', () => {
    expect(listDims(model(inputs))).toEqual([
      { name: 'batch', inputs: ['ids', 'mask', 'image'] },
      { name: 'seq', inputs: ['ids', 'mask'] },
      { name: 'past', inputs: ['mask'] },
      { name: 'image.0', inputs: ['image'] },
    ]);
  });

  it('gives static shapes', () => {
    const bound = bindInputs(model(inputs), { batch: 2, seq: 5, past: 0, 'image.0': 4 });
    expect(bound.map((v) => v.shape)).toEqual([
      [2, 5],
      [2, 5],
      [4, 3, 2],
    ]);
  });

  it('lets one input differ by its own name', () => {
    const bound = bindInputs(model({ a: ['n'], b: ['n'] }), { n: 2, 'b.0': 3 });
    expect(bound.map((v) => v.shape)).toEqual([[2], [3]]);
  });

  it('takes an expression bound as a whole', () => {
    expect(bindInputs(model({ a: ['p + q'] }), { 'p + q': 6 })[0]!.shape).toEqual([6]);
  });

  it('names all that is missing and how to give it', () => {
    expect(() => bindInputs(model(inputs), { seq: 5 })).toThrow(
      'The model has 3 dimensions without a size: batch (of ids, mask, image); past (of mask); image.0 (of image). Bind each to a number: batch=1, past=1, image.0=1.',
    );
  });

  it('refuses impossible sizes and inputs of unknown rank', () => {
    expect(() => bindInputs(model(inputs), { batch: -1 })).toThrow(/"batch" must be a whole number/);
    expect(() => bindInputs(model({ a: null }), {})).toThrow(/Input a has no shape/);
  });
});
