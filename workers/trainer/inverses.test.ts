/** @file The inverses of a run's blocks from step to step: through jumps of the rate, cuts, and checkpoints that do not have them. */
import 'fake-indexeddb/auto';
import { beforeEach, expect, it } from 'vitest';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { isInverse } from '#src/oft/rotation/inverses.ts';
import type { JobRequest, Outcome, RateChange } from '../protocol.ts';
import { adapterBytes, Lab, timeless, tinyJob, tinyRequest, value } from './testing/sessions.ts';

let serial = 0;
let lab: Lab;
beforeEach(() => {
  lab = new Lab(`inverses-${serial++}`);
});

const STEPS = 12;

/** Blocks of 8, whose inverses take rounds. */
const request = (every = 0, over: Partial<typeof tinyJob.train> = {}): JobRequest =>
  tinyRequest({
    plan: { ...defaultSettings, blocks: { size: 8, fit: 'nearest' }, rules: [] },
    train: { ...tinyJob.train, steps: STEPS, schedule: 'constant', ...over },
    sample: { ...tinyJob.sample, prompts: every > 0 ? ['ghost'] : [], every },
  });

const saved = async (id: string) => (await lab.runs().load(id))!.content;

it('three rounds do at the usual rates, and they are saved beside the parameters', async () => {
  const { id, history } = value(await lab.newSession().start(request(), () => undefined));
  expect(Math.max(...history.residual)).toBeLessThan(1e-6);
  const { rounds, checkpoint } = await saved(id);
  expect(rounds).toBe(3);
  expect(Object.keys(checkpoint.state).filter(isInverse)).toEqual(['inverse_8']);
});

it('a rate that is raised twentyfold finds more rounds: what is judged is orthogonal throughout', async () => {
  const session = lab.newSession();
  const made: Promise<Outcome<RateChange>>[] = [];
  const { evaluations, history } = value(
    await session.start(
      request(1),
      (event) => {
        if (event.kind === 'samples' && event.step === 4) made.push(session.changeRate('jump', 20));
      },
      undefined,
      'jump',
    ),
  );
  expect((await Promise.all(made)).map((each) => value(each).step)).toEqual([4]);
  expect((await saved('jump')).rounds).toBeGreaterThanOrEqual(11);
  expect(Math.max(...history.residual)).toBeLessThan(2e-6);
  expect(Math.max(...evaluations.map((e) => e.orthogonality?.exact ?? NaN))).toBeLessThan(1e-5);
});

it('such as are far off are noticed in the first step, and mended', async () => {
  // So that blocks have turned by some 60°.
  const often = request(1, { checkpointSteps: 1, learningRate: 0.03 });
  const first = lab.newSession();
  const { id, step } = value(
    await first.start(often, (e) => e.kind === 'checkpoint' && e.step === 6 && void first.pause()),
  );
  const runs = lab.runs();
  const { header, content } = (await runs.load(id))!;
  const { checkpoint } = content;
  const state = { ...checkpoint.state, inverse_8: checkpoint.state['inverse_8']!.map((x, i) => x + (i % 7)) };
  await runs.save(header, { ...content, checkpoint: { ...checkpoint, state } });
  const { history, evaluations } = value(await lab.newSession().start(often, () => undefined, id));
  expect(history.residual[step]).toBeGreaterThan(1e-4);
  expect(Math.max(...history.residual.slice(step + 1))).toBeLessThan(1e-6);
  for (const { orthogonality } of evaluations.filter((e) => e.step > step))
    expect(orthogonality?.exact).toBeLessThan(1e-5);
});

it('a checkpoint without them goes on, with the rounds of today', async () => {
  const whole = value(await lab.newSession().start(request(), () => undefined));
  const first = lab.newSession();
  const paused = value(
    await first.start(request(0, { checkpointSteps: 1 }), (e) => e.kind === 'steps' && void first.pause()),
  );
  expect(paused.step).toBeLessThan(STEPS);
  const runs = lab.runs();
  const { header, content } = (await runs.load(paused.id))!;
  const { checkpoint } = content;
  const state = Object.fromEntries(Object.entries(checkpoint.state).filter(([name]) => !isInverse(name)));
  await runs.save(header, { ...content, rounds: 14, residual: 1, checkpoint: { ...checkpoint, state } });
  const result = value(
    await lab.newSession().start(request(0, { checkpointSteps: 1 }), () => undefined, paused.id),
  );
  expect(result.step).toBe(STEPS);
  result.history.loss.forEach((x, k) => expect(x / whole.history.loss[k]!).toBeCloseTo(1, 4));
  expect(Math.max(...result.history.residual)).toBeLessThan(1e-6);
  const { rounds, checkpoint: last } = await saved(paused.id);
  expect(rounds).toBe(3);
  expect(Object.keys(last.state).filter(isInverse)).toEqual(['inverse_8']);
});

it('are the same bytes however a run is cut, also where rounds grow on the way', async () => {
  const high = request(0, { learningRate: 0.06, accumulate: 2, checkpointSteps: 1 });
  const uncut = lab.newSession();
  const whole = value(await uncut.start(high, () => undefined));
  const cut = lab.newSession();
  const paused = value(await cut.start(high, (e) => e.kind === 'steps' && void cut.pause()));
  expect(paused.step).toBeLessThan(STEPS);
  const resumed = lab.newSession();
  const result = value(await resumed.start(high, () => undefined, paused.id));
  expect(timeless(result)).toEqual(timeless(whole));
  expect(await adapterBytes(resumed)).toEqual(await adapterBytes(uncut));
  expect((await saved(paused.id)).checkpoint.state).toEqual((await saved(whole.id)).checkpoint.state);
});
