/** @file The curve of another run lies at its own steps, and ends where the chart does. */
import { describe, expect, it } from 'vitest';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { fakeSummary } from '../testing/fakeLibrary.ts';
import { ComparedRuns, curveOf } from './compared.svelte.ts';

describe('curveOf', () => {
  it('has a point for each step of a short run', () => {
    expect(curveOf({ losses: [3, 2, 1], step: 3 }, 120)).toEqual([
      { step: 0, loss: 3 },
      { step: 1, loss: 2 },
      { step: 2, loss: 1 },
    ]);
    expect(curveOf({ losses: [3], step: 1 }, 120)).toEqual([{ step: 0, loss: 3 }]);
    expect(curveOf({ losses: [], step: 0 }, 120)).toEqual([]);
  });

  it('spreads the points of a long run from its first step to its last', () => {
    const points = curveOf({ losses: Array.from({ length: 64 }, (_, i) => 64 - i), step: 631 }, 1000);
    expect(points).toHaveLength(64);
    expect([points[0], points[1], points.at(-1)]).toEqual([
      { step: 0, loss: 64 },
      { step: 10, loss: 63 },
      { step: 630, loss: 1 },
    ]);
  });

  it('is cut between two points where the chart ends', () => {
    const cut = curveOf({ losses: [4, 3, 2], step: 201 }, 150);
    expect(cut).toEqual([
      { step: 0, loss: 4 },
      { step: 100, loss: 3 },
      { step: 150, loss: 2.5 },
    ]);
    expect(curveOf({ losses: [4, 3, 2], step: 201 }, 100).at(-1)).toEqual({ step: 100, loss: 3 });
  });
});

it('offers all other runs that have a curve, and none where they cannot be read', async () => {
  const run = (id: string, losses: number[]) => fakeSummary({ id, job: fakeJob, losses });
  const compared = new ComparedRuns({
    runs: () => Promise.resolve([run('a', [2, 1]), run('b', [2, 1]), run('c', [])]),
  });
  await compared.refresh();
  expect(compared.choices('a').map(({ id }) => id)).toEqual(['b']);
  compared.id = 'b';
  expect(compared.chosen('a')?.id).toBe('b');
  expect(compared.chosen('b')).toBeNull();
  const none = new ComparedRuns({ runs: () => Promise.reject(new Error('no')) });
  await none.refresh();
  expect(none.choices('')).toEqual([]);
});
