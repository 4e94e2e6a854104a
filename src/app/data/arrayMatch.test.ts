/** @file What is said of picked arrays beside what a model wants: of each kind of misfit, and of none where the task takes them. */
import { describe, expect, it } from 'vitest';
import type { DType } from '#src/onnx/model.ts';
import type { InspectedTensor } from '#workers/inspection/types.ts';
import type { FoundArrays } from './arrayFiles.ts';
import { matchArrays } from './arrayMatch.ts';
import { wantedArrays } from './arrayTemplate.ts';

const value = (
  name: string,
  shape: InspectedTensor['shape'],
  type = 'float32',
  sizes: Readonly<Record<string, number>> = {},
): InspectedTensor => ({
  ...{ name, type, shape },
  bound: (shape ?? []).map((size) => (typeof size === 'number' ? size : (sizes[size ?? ''] ?? 2))),
});

/** x of 4 numbers, and a mask of whole ones, become 4. */
const model = {
  inputs: [value('x', ['batch', 4]), value('mask', ['batch', 'seq'], 'int64')],
  outputs: [value('out', ['batch', 4])],
};

const found = (
  arrays: Readonly<Record<string, readonly [DType, ...number[]]>>,
  batches: number | null = null,
): FoundArrays => ({
  arrays: Object.entries(arrays).map(([name, [type, ...shape]]) => ({
    ...{ name, type, shape },
    path: 'train.npz',
  })),
  batches,
  problems: [],
});

function said(
  arrays: Parameters<typeof found>[0],
  options: { loss?: string; target?: string } = {},
  of: Pick<Parameters<typeof wantedArrays>[0], 'inputs' | 'outputs'> = model,
) {
  const matched = matchArrays(wantedArrays(of, { loss: 'mse', ...options })!, found(arrays), options);
  return {
    ...matched,
    words: matched.rows.map(({ words }) => words),
    fits: matched.rows.map((row) => row.fits),
  };
}

const good = { x: ['float32', 100, 4], mask: ['int64', 100, 7], y: ['float32', 100, 4] } as const;

describe('arrays that are taken', () => {
  it('are said as they are, and counted', () => {
    expect(said(good)).toMatchObject({
      fits: [true, true, true],
      words: ['', '', ''],
      ...{ count: 100, counted: 'example', unused: [], targets: [] },
    });
  });

  it('say what their numbers are turned into', () => {
    expect(said({ ...good, x: ['float64', 100, 4], mask: ['float32', 100, 7] })).toMatchObject({
      fits: [true, true, true],
      words: [
        'x is float64: it will be turned into float32.',
        'mask is float32: it must hold whole numbers, which will be turned into int64.',
        '',
      ],
    });
  });

  it('may have an axis of batches, or be a file each', () => {
    const deep = said({ x: ['float32', 5, 8, 4], mask: ['int64', 5, 8, 7], y: ['float32', 5, 8, 4] });
    expect(deep).toMatchObject({ fits: [true, true, true], count: 5, counted: 'batch' });
    const files = matchArrays(
      wantedArrays(model, { loss: 'mse' })!,
      found({ x: ['float32', 8, 4], mask: ['int64', 8, 7], y: ['float32', 8, 4] }, 30),
      {},
    );
    expect(files).toMatchObject({ count: 30, counted: 'batch' });
    expect(files.rows.map(({ fits }) => fits)).toEqual([true, true, true]);
  });

  it('may be labels of any whole numbers, on either axis, or shares', () => {
    const classes = {
      inputs: [value('x', ['batch', 4])],
      outputs: [value('out', ['batch', 3, 5])],
    };
    const loss = { loss: 'cross_entropy' };
    const x = ['float32', 9, 4] as const;
    for (const y of [
      ['uint8', 9, 5],
      ['int64', 9, 3],
      ['float32', 9, 3, 5],
    ] as const)
      expect(said({ x, y }, loss, classes)).toMatchObject({ fits: [true, true], words: ['', ''] });
    expect(said({ x, y: ['int64', 9, 3, 5] }, loss, classes).words[1]).toBe(
      'y has 3 × 5 numbers per example, the loss takes 5 numbers.',
    );
  });
});

describe('arrays that do not fit', () => {
  it.each([
    [{ y: ['float32', 100, 3] }, 'y has 3 numbers per example, the model gives 4 numbers.'],
    [{ y: ['float32', 100] }, 'y has one number per example, the model gives 4 numbers.'],
    [{ y: ['float32', 90, 4] }, 'y has 90 examples, x has 100.'],
    [{ y: ['float32'] }, 'y has no axis that counts examples.'],
    [{ y: ['float32', 100, 0] }, 'y is empty.'],
  ] as const)('%o', (other, words) => {
    const { fits, ...match } = said({ ...good, ...other });
    expect([fits, match.words[2]]).toEqual([[true, true, false], words]);
  });

  it('differ in a size that is one in the model', () => {
    const two = {
      inputs: [value('ids', ['batch', 'seq'], 'int64'), value('mask', ['batch', 'seq'], 'int64')],
      outputs: [value('out', ['batch', 4])],
    };
    const arrays = { ids: ['int64', 9, 7], mask: ['int64', 9, 6], y: ['float32', 9, 4] } as const;
    expect(said(arrays, {}, two).words).toEqual(['', 'mask has 6 where ids has 7 (seq).', '']);
  });

  it('are in two files', () => {
    const { arrays } = found(good);
    const twice = { arrays: arrays.map((each) => ({ ...each, also: 'other.npz' })), batches: null };
    expect(matchArrays(wantedArrays(model, { loss: 'mse' })!, twice, {}).rows[0]!.words).toBe(
      'x is in train.npz and in other.npz: choose one of the two.',
    );
  });
});

describe('arrays by other names', () => {
  it('are missing, and the only one that would fit is named', () => {
    const arrays = { x: ['float32', 9, 4], masks: ['int64', 9, 7, 2], y: ['float32', 9, 4] } as const;
    expect(said(arrays).words[1]).toBe('mask is missing.');
    expect(said({ ...arrays, masks: ['int64', 9, 7] })).toMatchObject({
      words: ['', 'mask is missing. “masks” would fit: save it as “mask”.', ''],
      unused: ['masks'],
    });
  });

  it('can be chosen for the target, where they fit', () => {
    const arrays = { ...good, y: ['float32', 100, 3], w: ['float32', 100, 4], v: ['int8', 100, 4] } as const;
    expect(said(arrays)).toMatchObject({ fits: [true, true, false], targets: ['w', 'v'] });
    expect(said(arrays, { target: 'w' })).toMatchObject({
      fits: [true, true, true],
      targets: ['w', 'v'],
      unused: ['y', 'v'],
    });
    expect(said(arrays, { target: 'z' }).words[2]).toBe('There is no array “z”.');
    const nameless = said({ x: good.x, mask: good.mask, a: good.y, b: good.y });
    expect(nameless).toMatchObject({
      words: ['', '', 'Nothing says which array is the target.'],
      targets: ['a', 'b'],
    });
  });

  it('have no target where the loss takes none', () => {
    expect(said({ x: good.x, mask: good.mask }, { loss: 'model' })).toMatchObject({
      fits: [true, true],
      targets: [],
    });
  });
});
