/** @file Half and double precision become single, in memory and on the way from a file. */
import { describe, expect, it, test } from 'vitest';
import { constantBytes } from '#src/runtime/weights.ts';
import { loadSmall } from './external.ts';
import { halfToNumber } from './float16.ts';
import type { Constant, Model } from './model.ts';
import { single, singleBytes } from './single.ts';
import { constantOf, numbersOf, tensor, tensorOf, viewBytes } from './tensor.ts';

const values = [0, -0, 1, -1.5, 65504, 1e-7, 0.1, Infinity, -Infinity, NaN];

describe('singleBytes', () => {
  test.each(['float16', 'bfloat16', 'float64'] as const)('%s', (type) => {
    const t = tensor(type, [values.length], values);
    const found = viewBytes('float32', singleBytes(type, bytesOf(t)));
    expect([...(found as Float32Array)]).toEqual(numbersOf(t).map(Math.fround));
  });

  it('knows every half', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const found = viewBytes('float32', singleBytes('float16', new Uint8Array(all.buffer))) as Float32Array;
    expect(found.every((x, i) => Object.is(x, Math.fround(halfToNumber(i))))).toBe(true);
  });
});

const bytesOf = (t: ReturnType<typeof tensor>): Uint8Array => {
  const { data } = constantOf(t);
  if (data.kind !== 'inline') throw new Error('not inline');
  return data.bytes;
};

describe('single', () => {
  it('leaves float32 and integers as they are, and gives the same object for the same constant', () => {
    for (const type of ['float32', 'int64', 'int8'] as const) {
      const c = constantOf(tensor(type, [2], [1, 2]));
      expect(single(c)).toBe(c);
    }
    const half = constantOf(tensor('float16', [2], [1, 2]));
    expect(single(half)).toBe(single(half));
    expect(numbersOf(tensorOf(single(half)))).toEqual([1, 2]);
  });

  it('converts what stays in a file when it is read', async () => {
    const count = 40_000;
    const t = tensor(
      'float16',
      [count],
      Array.from({ length: count }, (_, i) => i / 8),
    );
    const file = bytesOf(t);
    const c: Constant = {
      type: 'float16',
      shape: [count],
      data: { kind: 'external', location: 'w.data', offset: 0, length: 2 * count },
    };
    const model: Model = {
      irVersion: 10,
      opsets: new Map([['', 21]]),
      producer: '',
      metadata: new Map(),
      graph: { name: '', inputs: [], outputs: [], nodes: [], initializers: new Map([['w', c]]) },
    };
    const read = (_: string, offset: number, length: number): Promise<Uint8Array> =>
      Promise.resolve(file.slice(offset, offset + length));
    const kept = (await loadSmall(model, read)).graph.initializers.get('w')!;
    expect(kept.data.kind).toBe('external');
    const bytes = await constantBytes('w', single(kept), read);
    expect([...(viewBytes('float32', bytes) as Float32Array)]).toEqual(numbersOf(t));
  });
});
