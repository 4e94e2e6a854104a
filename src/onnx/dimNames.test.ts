import { describe, expect, it } from 'vitest';
import { importGraph } from '#src/ops/import/import.ts';
import { graphOf, model, n, value } from '#src/ops/testing/models.ts';
import { decodeModel } from './decode.ts';
import { dimNamed } from './dimNames.ts';
import { encodeModel } from './encode.ts';

/** What exporters write where a size has no name: Paddle2ONNX, tf2onnx, MXNet, hand-written converters. */
const placeholders = [
  '',
  ' ',
  '?',
  '??',
  '*',
  '_',
  '-',
  '-1',
  '- 1',
  'None',
  'none',
  'NaN',
  'null',
  'N/A',
  'n/a',
  'unk__12',
  'unk_7',
  'unk3',
  'unknown',
  'Unknown',
  'unknown_4',
  'undefined',
  'dynamic',
  'dyn',
  'Any',
  '<dynamic>',
  '(None)',
  '? + 1',
  '2*?',
  'unk__3 + unk__4',
  'batch * unk__3',
];
const names = [
  'batch',
  'N',
  'batch_size',
  's0',
  'DynamicDimension.0',
  'p2o.DynamicDimension.1',
  'dynamic_axes_1',
  'height*width',
  'past_length + seq',
  'floor(s0/2)',
  'nonempty',
  'unknot',
  'anything',
  '批次',
  'é',
  'batch?',
];

describe('names of dimensions', () => {
  it.each(placeholders)('%j is none', (text) => expect(dimNamed(text)).toBeNull());
  it.each(names)('%j is one', (text) => expect(dimNamed(text)).toBe(text));
  it.each([
    ['224', 224],
    [' 3 ', 3],
    ['0', 0],
  ])('%j is a number', (text, size) => expect(dimNamed(text)).toBe(size));

  /** y = x + x of a file whose input has these dimensions. */
  const file = (shape: readonly string[]) =>
    decodeModel(
      encodeModel(model(graphOf([n('Add', ['x', 'x'], ['y'])], {}, [value('x', 'float32', shape)], ['y']))),
    );

  it.each(placeholders)('%j ties no sizes, and each axis is bound by its place', (text) => {
    const graph = importGraph(file([text, 'n', text]), { 'x.0': 2, n: 3, 'x.2': 5 });
    expect(graph.outputs[0]!.shape).toEqual([2, 3, 5]);
    expect(() => importGraph(file([text, 'n', text]), { n: 3 })).toThrow(
      /2 dimensions without a size: x\.0 \(of x\); x\.2 \(of x\)\. Bind each to a number: x\.0=1, x\.2=1/,
    );
  });

  it.each(names.filter((name) => /^[\w.]+$/.test(name)))(
    '%j ties them, unless one axis is bound alone',
    (name) => {
      expect(importGraph(file([name, name]), { [name]: 4 }).outputs[0]!.shape).toEqual([4, 4]);
      expect(importGraph(file([name, name]), { [name]: 4, 'x.1': 7 }).outputs[0]!.shape).toEqual([4, 7]);
    },
  );
});
