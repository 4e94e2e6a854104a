/** @file Losses of the device, one after the other; devices are functions here. */
import { expect, it } from 'vitest';
import { defaultJob } from '#src/formats/jobs/job.ts';
import { RuntimeError } from '#src/runtime/errors.ts';
import type { JobRequest, Problem, RunResult } from '../../protocol.ts';
import type { Saved } from '../saved.ts';
import { LOSSES, throughLosses } from './losses.ts';

const request = { backend: 'auto', job: defaultJob } as JobRequest;
const done = { outcome: 'finished' } as RunResult;
const state = (step: number): Saved => ({ checkpoint: { step } }) as Saved;

/** Trains that reach these steps and then lose their device; the last one comes to its end. */
function lab(reached: readonly (number | null)[], minutes: readonly number[] = []) {
  const left = [...reached];
  const trains: { backend: string; from: number | null }[] = [];
  const warnings: Problem[] = [];
  let newest: Saved | null = null;
  let now = 0;
  const host = {
    train: (asked: JobRequest, from: Saved | null) => {
      trains.push({ backend: asked.backend, from: from?.checkpoint.step ?? null });
      if (left.length === 0) return Promise.resolve(done);
      const step = left.shift() ?? null;
      if (step !== null) newest = state(step);
      now += (minutes[reached.length - left.length - 1] ?? 0) * 60_000;
      return Promise.reject(new Error('mapAsync failed'));
    },
    lost: () => Promise.resolve<string | null>('unplugged'),
    newest: () => newest,
    warn: (problem: Problem) => warnings.push(problem),
    now: () => now,
  };
  return { host, trains, warnings };
}

it('goes on from the newest state on a new device, and says so', async () => {
  const { host, trains, warnings } = lab([7]);
  expect(await throughLosses(request, null, host)).toBe(done);
  expect(trains).toEqual([
    { backend: 'auto', from: null },
    { backend: 'auto', from: 7 },
  ]);
  expect(warnings).toMatchObject([{ code: 'device-lost', detail: 'unplugged' }]);
  expect(warnings[0]!.message).toMatch(/by itself on a new one, from step 7\.$/);
});

it('begins where it began, as long as there is no newer state', async () => {
  const { host, trains } = lab([null, null]);
  await throughLosses(request, state(3), host);
  expect(trains.map(({ from }) => from)).toEqual([3, 3, 3]);
  const fresh = lab([null]);
  await throughLosses(request, null, fresh.host);
  expect(fresh.trains.map(({ from }) => from)).toEqual([null, null]);
  expect(fresh.warnings[0]!.message).toMatch(/from its beginning/);
});

it('trusts the device no more after three losses in five minutes', async () => {
  const { host, trains, warnings } = lab([1, 2, 3]);
  expect(await throughLosses(request, null, host)).toBe(done);
  expect(trains.map(({ backend }) => backend)).toEqual(['auto', 'auto', 'auto', 'wasm']);
  expect(warnings.at(-1)!.message).toMatch(/on the CPU, from step 3/);
  const slow = lab([1, 2, 3, 4, 5, 6], [3, 3, 3, 3, 3, 3]);
  await throughLosses(request, null, slow.host);
  expect(slow.trains.map(({ backend }) => backend)).not.toContain('wasm');
});

it('throws what is no loss, and what happens on the CPU', async () => {
  const none = lab([1]);
  none.host.lost = () => Promise.resolve(null);
  await expect(throughLosses(request, null, none.host)).rejects.toThrow('mapAsync failed');
  const often = lab(Array.from({ length: LOSSES + 1 }, (_, i) => i));
  await expect(throughLosses(request, null, often.host)).rejects.toThrow('mapAsync failed');
  expect(often.trains).toHaveLength(LOSSES + 1);
});

it('takes less memory, once, where it runs out', async () => {
  const asked: boolean[] = [];
  const warnings: Problem[] = [];
  const full = new RuntimeError('out-of-memory', 'The graphics memory is full.');
  const host = {
    train: ({ job }: JobRequest) => {
      asked.push(job.train.recompute);
      return asked.length > 1 ? Promise.resolve(done) : Promise.reject(full);
    },
    lost: () => Promise.resolve(null),
    newest: () => state(4),
    warn: (problem: Problem) => warnings.push(problem),
  };
  expect(await throughLosses(request, null, host)).toBe(done);
  expect(asked).toEqual([false, true]);
  expect(warnings).toMatchObject([{ code: 'out-of-memory' }]);
  expect(warnings[0]!.message).toMatch(/from step 4, and computes parts of the model twice/);
  const never = { ...host, train: () => Promise.reject(full) };
  await expect(throughLosses(request, null, never)).rejects.toBe(full);
  expect(warnings).toHaveLength(2);
});
