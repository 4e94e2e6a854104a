/** @file What an error report says, and what it must never say. */
import { expect, it } from 'vitest';
import { publicJob } from '#src/formats/jobs/publicJob.ts';
import { EventLog } from './eventLog.ts';
import { errorReport, type ReportFacts } from './report.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';

const job = {
  ...fakeJob,
  model: 'secret-model/unet.ONNX',
  adapter: 'my secret/adapter.safetensors',
  data: { ...fakeJob.data, train: '/home/me/secret photos', heldout: null },
  sample: { ...fakeJob.sample, prompts: ['a secret wish', 'another secret'], negative: 'secret too' },
};
const facts: ReportFacts = {
  problem: {
    code: 'internal',
    message: 'It broke.',
    item: 'layer.3',
    safe: 'All is saved.',
    cure: 'Try again.',
    detail: 'Error: it broke\n  at step',
  },
  job,
  backend: { kind: 'wasm', reason: 'No GPU.', threads: 4, adapter: null },
  events: [],
  state: 'screen train',
};

it('says what happened, on what, with which versions', () => {
  const text = errorReport(facts);
  for (const part of [
    'what happened: It broke.',
    'code: internal',
    'item: layer.3',
    'safe: All is saved.',
    'what helps: Try again.',
    'state: screen train',
    'Rotune: ',
    'onnxruntime-web: ',
    `browser: ${navigator.userAgent}`,
    'cross-origin isolated: ',
    'secure context: ',
    'backend: wasm: No GPU.',
    'threads: 4',
    'at step',
    `steps = ${job.train.steps}`,
  ])
    expect(text).toContain(part);
});

it('holds no prompts and no names of own files, but what kind of file they are', () => {
  expect(errorReport(facts)).not.toMatch(/secret/i);
  expect(publicJob(job)).toMatchObject({
    model: '(own file .onnx)',
    adapter: '(own file .safetensors)',
    data: { train: '(own folder)', heldout: null },
  });
  expect(publicJob(fakeJob).model).toBe(fakeJob.model);
});

it('tells the last events, of steps and progress in a row the last', () => {
  const log = new EventLog();
  log.note('Training starts.');
  const phase = { kind: 'phase', phase: 'fetching', total: 9 } as const;
  log.accept({ ...phase, done: 1 });
  log.accept({ ...phase, done: 9 });
  const record = { step: 0, loss: 0.5, learningRate: 0.1, gradNorm: 2, ms: 12 };
  for (const step of [0, 1, 2]) log.accept({ kind: 'steps', records: [{ ...record, step }], secondsLeft: 1 });
  log.accept({ kind: 'samples', step: 3, prompts: ['a secret wish'], pictures: [] });
  expect(log.events.map(({ words }) => words)).toEqual([
    'Training starts.',
    'phase: fetching (9 of 9)',
    'step 3: loss 0.5000, gradient norm 2.00, 12 ms',
    'samples after step 3: 1',
  ]);
  for (let i = 0; i < 100; i++) log.note(`event ${i}`);
  expect(log.events).toHaveLength(40);
  expect(log.events.at(-1)?.words).toBe('event 99');
  expect(errorReport({ ...facts, events: log.events })).toMatch(/^\d\d:\d\d:\d\d\.\d+ event 99$/m);
});
