/** @file A run as the store keeps it, made by hand, and databases of its own for each case. */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { defaultJob } from '#src/formats/jobs/job.ts';
import { seeded, testAdapter, testLayer } from '#src/formats/testing/adapters.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import type { WrittenHeader } from '#src/store/runHeader.ts';
import { StepLog } from '#src/training/steps.ts';
import { openRuns, type Runs, type Saved } from '#workers/trainer/saved.ts';

const layers = [testLayer('down.0.conv1', 4, 16, { kernel: [3, 3] }), testLayer('down.0.to_q', 24, 16)];
const planned = layers.map((layer) => testAdapter(layer, 4, { rescale: true }, seeded(3)).layer);
const { size } = parameterLayout(planned);
const job = { ...defaultJob, data: { ...defaultJob.data, train: 'builtin:high-contrast/train' } };
const step = 3;
const numbers = (n: number, from: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => from + i / n);

export const savedRun: Saved = {
  checkpoint: {
    ...{ version: 1, job, modelHash: 'ab'.repeat(32), seed: 5, backend: 'wasm', threads: 2, step },
    state: { theta: numbers(size, 0), m: numbers(size, -1), v: numbers(size, 1) },
    history: StepLog.of(
      [0, 1, 2].map((at) => ({
        step: at,
        loss: at === 1 ? NaN : 1 / (at + 1),
        learningRate: 1e-3,
        gradNorm: 1,
        ms: 9,
      })),
    ).columns(),
    evaluations: [
      {
        ...{ step: 0, heldoutLoss: 0.5, saturation: null },
        metrics: [{ name: 'Right', value: 0.5, unit: 'share', better: 'higher' }],
        tables: [{ title: 'Classes', columns: ['a'], rows: [['1']] }],
      },
    ],
    rates: [{ step: 1, factor: 0.5 }],
  },
  adapter: null,
  layers,
  planned,
  whole: [],
  dataHash: 'cd'.repeat(32),
  classes: ['moon', 'sun'],
  rounds: 2,
  residual: 1e-4,
  samples: [
    {
      ...{ step: 0, prompts: ['a moon'], texts: ['said'] },
      pictures: [{ width: 2, height: 1, rgba: new Uint8ClampedArray(8).fill(9) }],
    },
  ],
  shown: { angles: { step: 2, mean: [0.1, 0.2], largest: [0.3, 0.4] } },
};

export const savedHeader: WrittenHeader = {
  ...{ id: 'mine', job, step, savedAt: 1_700_000_000_000, finished: false, state: 'paused', total: 100 },
  ...{ modelName: 'tiny', dataName: 'words/train', selfContained: true, startedAt: 1_699_999_999_000 },
  ...{ texts: ['said'], losses: [1, 0.5], rates: [], pictures: savedRun.samples[0]!.pictures },
  heldout: { first: 0.5, last: 0.4 },
};

/** Runs in a database with nothing in it: those of other cases are gone. */
export function emptyRuns(): Runs {
  globalThis.indexedDB = new IDBFactory();
  return openRuns('fuzz');
}

/** With the one run, saved twice: it can be gone back to. */
export async function filledRuns(): Promise<Runs> {
  const runs = emptyRuns();
  await runs.save({ ...savedHeader, step: 2 }, savedRun);
  await runs.save(savedHeader, savedRun);
  return runs;
}
