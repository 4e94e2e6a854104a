/** @file The run's state follows the worker's events. */
import { flushSync } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import type { RunResult, StepRecord } from '#workers/protocol.ts';
import { StepLog } from '#src/training/steps.ts';
import { RunState } from './run.svelte.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { drawDisc } from '../testing/fakeTrainer.ts';

const record = (step: number, loss = 0.2, ms = 400): StepRecord => ({
  step,
  loss,
  learningRate: 5e-3,
  gradNorm: 1,
  ms,
});
const samples = (step: number) => ({
  kind: 'samples' as const,
  step,
  prompts: ['fox'],
  pictures: [drawDisc(0, step / 120, 0)],
});
const result = (outcome: RunResult['outcome'], history: StepRecord[]): RunResult => ({
  id: 'run',
  outcome,
  step: history.at(-1)?.step ?? 0,
  history: StepLog.of(history).columns(),
  evaluations: [],
  means: [],
  backend: { kind: 'wasm', reason: '', threads: 1, adapter: null },
  placement: { nodes: 1, elsewhere: [] },
  timings: {},
  memory: { weights: 1, state: 1 },
});

describe('RunState', () => {
  it('counts progress by the newest step', () => {
    const run = new RunState();
    run.begin(fakeJob, 'a');
    run.running();
    expect([run.status, run.progress, run.secondsPerStep]).toEqual(['running', 0, null]);
    run.accept({
      kind: 'steps',
      records: [record(0), record(1, 0.1, 100), record(29, 0.1, 500)],
      secondsLeft: 40,
    });
    expect([run.step, run.progress, run.secondsLeft]).toEqual([30, 0.25, 40]);
    expect(run.secondsPerStep).toBe(0.4);
  });

  it('keeps rows by step, the later of two for the same step', () => {
    const run = new RunState();
    run.begin(fakeJob, 'a');
    for (const step of [0, 40, 20, 40]) run.accept(samples(step));
    expect(run.rows.map(({ step }) => step)).toEqual([0, 20, 40]);
  });

  it('drops what came after the checkpoint when the run goes on from it', () => {
    const run = new RunState();
    run.begin(fakeJob, 'a');
    run.accept({ kind: 'steps', records: [record(0), record(1), record(2)], secondsLeft: 1 });
    for (const step of [0, 3]) run.accept(samples(step));
    run.fail({ code: 'device-lost', message: 'gone' });
    expect(run.busy).toBe(false);
    run.begin(fakeJob, 'a', { step: 2 });
    expect([...run.records].map(({ step }) => step)).toEqual([0, 1]);
    expect(run.rows.map(({ step }) => step)).toEqual([0]);
    expect([run.step, run.problem]).toEqual([2, null]);
  });

  it('shows at once all that a saved run had shown before the page was opened', () => {
    const run = new RunState();
    run.begin(fakeJob, 'a', { step: 2 });
    const here = { code: 'internal', message: 'One thread only.' } as const;
    const said = { code: 'loss-stays', message: 'It learns nothing.' } as const;
    for (const problem of [here, said]) run.accept({ kind: 'warning', problem });
    run.accept({
      ...{ kind: 'restored', step: 2, stored: { step: 2, at: 5000, bytes: 7 } },
      history: StepLog.of([record(0), record(1)]).columns(),
      angles: { step: 2, mean: [1], largest: [2] },
      warnings: [said],
      rates: [{ step: 1, factor: 0.3 }],
    });
    expect(run.records).toHaveLength(2);
    expect(run.warnings).toEqual([said, here]);
    expect(run.rates).toEqual([{ step: 1, factor: 0.3 }]);
    expect(run.angles).toMatchObject({ mean: [1], largest: [2] });
    expect(run.checkpoint).toEqual({ step: 2, bytes: 7, at: 5000 });
  });

  it('adds records to those it has, without copying them, and tells whoever reads them', () => {
    const run = new RunState();
    run.begin(fakeJob, 'a');
    run.accept({ kind: 'steps', records: [record(0)], secondsLeft: 1 });
    const log = run.records;
    const told: number[] = [];
    const end = $effect.root(() => {
      $effect(() => void told.push(run.records.length));
    });
    const at = vi.spyOn(StepLog.prototype, 'at');
    for (let step = 1; step < 3000; step++)
      run.accept({ kind: 'steps', records: [record(step)], secondsLeft: 1 });
    const looks = at.mock.calls.length;
    at.mockRestore();
    flushSync();
    run.accept({ kind: 'steps', records: [record(3000)], secondsLeft: 1 });
    flushSync();
    end();
    expect(run.records).toBe(log);
    expect(told).toEqual([3000, 3001]);
    // The newest alone is looked at.
    expect(looks).toBeLessThanOrEqual(3000);
    expect([run.step, run.records.length]).toEqual([3001, 3001]);
  });

  it('keeps no second copy of a finished run’s history, and few of many warnings', () => {
    const run = new RunState();
    run.begin(fakeJob, 'a');
    for (let i = 0; i < 200; i++)
      run.accept({ kind: 'warning', problem: { code: 'internal', message: `${i}` } });
    expect(run.warnings).toHaveLength(50);
    run.end(result('finished', [record(0), record(1)]));
    expect(run.result?.history.step).toHaveLength(0);
    expect(run.records).toHaveLength(2);
  });

  it('starts a resumed run at its checkpoint, and takes its whole history at the end', () => {
    const run = new RunState();
    run.begin(fakeJob, 'a', { step: 60 });
    expect(run.progress).toBe(0.5);
    run.end(result('finished', [record(58), record(59), record(60)]));
    expect([run.status, run.records.length, run.step]).toEqual(['done', 3, 61]);
  });

  it('is paused, not done, after a pause', () => {
    const run = new RunState();
    run.begin(fakeJob, 'a');
    run.running();
    run.ending('pausing');
    expect([run.status, run.busy]).toEqual(['pausing', true]);
    run.end(result('paused', [record(1)]));
    expect([run.status, run.busy]).toEqual(['paused', false]);
  });
});
