/** @file The learning rate changed on the way: from the next step on, and the same bytes however the run is cut. */
import 'fake-indexeddb/auto';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { readSafetensors } from '#src/formats/files/safetensors.ts';
import type { JobRequest, Outcome, RateChange, RunEvent, RunResult } from '../protocol.ts';
import type { Session } from './session.ts';
import { publicFetch } from './testing/publicFetch.ts';
import { adapterBytes, Lab, problem, timeless, tinyJob, tinyRequest, value } from './testing/sessions.ts';

const STEPS = 6;
let serial = 0;
let lab: Lab;
beforeAll(() => vi.stubGlobal('fetch', publicFetch()));
afterAll(() => vi.unstubAllGlobals());
beforeEach(() => {
  lab = new Lab(`rates-${serial++}`);
});

/** A row of samples after each step: there the tests change the rate. */
const request = (checkpointSteps: number): JobRequest =>
  tinyRequest({
    train: { ...tinyJob.train, steps: STEPS, checkpointSteps },
    sample: { ...tinyJob.sample, prompts: ['ghost'], every: 1 },
  });

const tensors = async (session: Session) => [...readSafetensors(await adapterBytes(session)).tensors];

interface Trained {
  readonly result: RunResult;
  readonly tensors: unknown;
}

/** An uncut run whose rate is changed after so many steps. */
async function uncut(changes: Readonly<Record<number, number>>): Promise<Trained> {
  const session = lab.newSession();
  const id = `uncut-${JSON.stringify(changes)}`;
  const made: Promise<Outcome<RateChange>>[] = [];
  const outcome = await session.start(
    request(1000),
    (event) => {
      const factor = event.kind === 'samples' ? changes[event.step] : undefined;
      if (event.kind === 'samples' && factor !== undefined) made.push(session.changeRate(id, factor));
    },
    undefined,
    id,
  );
  const steps = Object.keys(changes).map(Number);
  expect((await Promise.all(made)).map((each) => value(each).step)).toEqual(steps);
  return { result: value(outcome), tensors: await tensors(session) };
}

it('is the schedule’s times the factor from the next step on, and the schedule’s again', async () => {
  const plain = await uncut({});
  const changed = await uncut({ 2: 0.25, 4: 1 });
  const rates = ({ result }: Trained) => [...result.history.learningRate];
  expect(rates(changed)).toEqual(rates(plain).map((rate, k) => (k === 2 || k === 3 ? rate * 0.25 : rate)));
  expect(changed.tensors).not.toEqual(plain.tensors);
  expect(timeless(changed.result).slice(0, 2)).toEqual(timeless(plain.result).slice(0, 2));
});

it('outlives a run that is killed before its next checkpoint, byte for byte', async () => {
  const whole = await uncut({ 3: 0.1 });
  const first = lab.newSession();
  let killed = false;
  lab.onCreate = (runtime) => {
    runtime.onRun = () => {
      if (killed) throw new Error('The tab is gone.');
    };
  };
  let noted: readonly RateChange[] | undefined;
  await first.start(
    request(2),
    (event) => {
      // Checkpoints after steps 2 and 4: the change comes between.
      if (event.kind !== 'samples' || event.step !== 3) return;
      killed = true;
      void first.changeRate('cut', 0.1).then(async () => (noted = (await lab.runs().find('cut'))?.rates));
    },
    undefined,
    'cut',
  );
  lab.onCreate = null;
  await expect.poll(() => noted).toEqual([{ step: 3, factor: 0.1 }]);
  expect((await lab.runs().load('cut'))?.content.checkpoint).toMatchObject({ step: 2 });

  const second = lab.newSession();
  const events: RunEvent[] = [];
  const result = value(await second.start(request(2), (event) => events.push(event), 'cut'));
  expect(events.find(({ kind }) => kind === 'restored')).toMatchObject({ rates: [{ step: 3, factor: 0.1 }] });
  expect(timeless(result)).toEqual(timeless(whole.result));
  expect(await tensors(second)).toEqual(whole.tensors);
  expect((await lab.runs().load('cut'))?.content.checkpoint.rates).toEqual([{ step: 3, factor: 0.1 }]);
});

it('can be changed in a pause, and the page be opened anew in between', async () => {
  const whole = await uncut({ 2: 3 });
  const first = lab.newSession();
  value(
    await first.start(
      request(1000),
      (event) => event.kind === 'samples' && event.step === 1 && void first.pause(),
      undefined,
      'paused',
    ),
  );
  const { step } = (await lab.runs().find('paused'))!;
  expect(value(await first.changeRate('paused', 3))).toEqual({ step, factor: 3 });
  const same = step === 2 ? whole : await uncut({ [step]: 3 });
  const second = lab.newSession();
  const result = value(await second.start(request(1000), () => undefined, 'paused'));
  expect(timeless(result)).toEqual(timeless(same.result));
  expect(await tensors(second)).toEqual(same.tensors);
  const opened = value(await second.library.openRun(null, 'paused'));
  expect(opened.summary.rates).toEqual([{ step, factor: 3 }]);
});

it('is refused in words for numbers that are no factor, and for runs that are over or not there', async () => {
  const session = lab.newSession();
  value(await session.start(request(1000), () => undefined, undefined, 'over'));
  for (const factor of [0, -1, NaN, Infinity, 1e9])
    expect(problem(await session.changeRate('over', factor))).toMatchObject({ code: 'bad-job' });
  for (const id of ['over', 'none'])
    expect(problem(await session.changeRate(id, 0.3))).toMatchObject({ code: 'no-run' });
});
