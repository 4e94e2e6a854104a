/** @file What a run is computed with: what differs, and what is written down of it. */
import { describe, expect, it } from 'vitest';
import { changesOf, differences, differenceWords, withMeans } from './means.ts';
import type { Means, MeansFrom } from './types.ts';

const means = (more: Partial<Means> = {}): Means => ({
  ...{ backend: 'wasm', adapter: null, threads: 2, recompute: false, runtime: '1.30.0', rotune: '0.1.0 (a)' },
  ...more,
});
const from = (step: number, more: Partial<Means> = {}): MeansFrom => ({ ...means(more), step });

describe('what differs', () => {
  it.each([
    [{}, {}, []],
    [{}, { threads: 4 }, ['threads 4, before 2']],
    [{}, { backend: 'webgpu', adapter: 'x' }, ['backend webgpu, before wasm']],
    [{ backend: 'webgpu', adapter: 'x' }, { backend: 'webgpu', adapter: 'x', threads: 8 }, []],
    [
      { backend: 'webgpu', adapter: 'x' },
      { backend: 'webgpu', adapter: 'y' },
      ['graphics device y, before x'],
    ],
    [{}, { recompute: true }, ['parts of the model computed twice yes, before no']],
    [
      {},
      { runtime: '1.31.0', rotune: '0.2.0' },
      ['onnxruntime-web 1.31.0, before 1.30.0', 'Rotune 0.2.0, before 0.1.0 (a)'],
    ],
    // An older version did not write them down.
    [{ threads: null, runtime: null, rotune: null }, {}, []],
  ] as const)('of %j and %j', (was, is, words) => {
    expect(differences(means(was), means(is)).map(differenceWords)).toEqual(words);
  });
});

describe('the list', () => {
  it('grows by what is otherwise alone', () => {
    const one = withMeans([], 0, means());
    expect(one).toEqual([from(0)]);
    expect(withMeans(one, 5, means())).toEqual(one);
    const two = withMeans(one, 5, means({ threads: 4 }));
    expect(two).toEqual([from(0), from(5, { threads: 4 })]);
    expect(changesOf(two)).toEqual(['from step 5 on: threads 4, before 2']);
    expect(withMeans(two, 5, means())).toEqual(one);
    expect(withMeans(two, 5, means({ threads: 8 }))).toEqual([from(0), from(5, { threads: 8 })]);
    // From an earlier checkpoint on it is another run.
    expect(withMeans(two, 3, means())).toEqual(one);
  });

  it('says nothing of what was not known before', () => {
    const unknown = from(0, { threads: null, runtime: null, rotune: null });
    const list = withMeans([unknown], 3, means());
    expect(list).toHaveLength(2);
    expect(changesOf(list)).toEqual([]);
  });
});
