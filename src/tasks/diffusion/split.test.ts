import { describe, expect, it } from 'vitest';
import type { Examples } from './examples.ts';
import { heldApart } from './split.ts';

const examples = (count: number, buckets = 1): Examples => ({
  files: {} as Examples['files'],
  list: Array.from({ length: count }, (_, i) => ({
    path: `${i}.png`,
    caption: '',
    hash: String(i),
    repeats: 1,
    bucket: i % buckets,
    timeIds: [],
    pixels: null,
  })),
  sizes: [],
  problems: [{ severity: 'warning', item: 'a', message: 'b' }],
  shown: [],
});

const paths = (e: Examples | null): string[] => (e?.list ?? []).map(({ path }) => path);

describe('pictures held apart', () => {
  it('are a share, by the seed alone, and no others are trained on', () => {
    const all = examples(20);
    const { train, heldout } = heldApart(all, 0.25, 3);
    expect(heldout!.list).toHaveLength(5);
    expect([...paths(train), ...paths(heldout)].sort()).toEqual(paths(all).sort());
    expect(paths(heldApart(examples(20), 0.25, 3).heldout)).toEqual(paths(heldout));
    expect(paths(heldApart(all, 0.25, 4).heldout)).not.toEqual(paths(heldout));
    expect([train.problems, heldout!.problems]).toEqual([all.problems, []]);
  });

  it('are the same objects when asked for again', () => {
    const all = examples(8);
    expect(heldApart(all, 0.5, 0).train).toBe(heldApart(all, 0.5, 0).train);
  });

  it('are of every shape, and never all', () => {
    const { heldout } = heldApart(examples(12, 3), 0.3, 0);
    expect(new Set(heldout!.list.map((e) => e.bucket)).size).toBe(3);
    expect(heldApart(examples(2), 0.99, 0).train.list).toHaveLength(1);
    expect(heldApart(examples(1), 0.5, 0)).toMatchObject({ heldout: null });
    const all = examples(9);
    expect(heldApart(all, 0, 0)).toEqual({ train: all, heldout: null });
  });
});
