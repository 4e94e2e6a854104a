import { describe, expect, it } from 'vitest';
import { random } from '#src/tasks/random.ts';
import { type LoopEvent, type LoopOptions, type LoopState, NonFiniteError, TrainingLoop } from './loop.ts';
import { Pace } from './pace.ts';
import { learningRateAt } from './schedule.ts';
import { fakeExecutable } from './testing/fakeExecutable.ts';
import type { StepRecord } from './types.ts';

const SIZE = 7;
const STEPS = 30;

function setup(changes: Partial<LoopOptions> = {}, bad: (step: number) => boolean = () => false) {
  const accumulate = changes.accumulate ?? 2;
  const executable = fakeExecutable(SIZE);
  const events: LoopEvent[] = [];
  let clock = 0;
  const loop = new TrainingLoop({
    executable,
    steps: STEPS,
    accumulate,
    feeds: (step, micro, rate) => ({
      target: bad(step)
        ? new Float32Array(SIZE).fill(NaN)
        : random(1, 'target', step * accumulate + micro).normal(SIZE),
      schedule: Float32Array.of(rate, Number(micro === accumulate - 1)),
    }),
    learningRate: (k) =>
      learningRateAt({ kind: 'cosine', steps: STEPS, warmup: 3, learningRate: 0.1, finalShare: 0 }, k),
    onEvent: (event) => void events.push(event),
    now: () => (clock += 40),
    ...changes,
  });
  return { loop, executable, events };
}
const comparable = (history: Iterable<StepRecord>) => [...history].map((r) => ({ ...r, ms: 0 }));

describe('TrainingLoop', () => {
  it('records every step in order and reports each once', async () => {
    const { loop, events } = setup();
    expect(await loop.run()).toBe('finished');
    expect([...loop.history].map((r) => r.step)).toEqual(Array.from({ length: STEPS }, (_, k) => k));
    expect(loop.history.at(0)!.learningRate).toBeCloseTo(0.1 / 3, 12);
    const sent = events.flatMap((e) => (e.kind === 'steps' ? e.records : []));
    expect(sent).toEqual([...loop.history]);
    const last = events.filter((e) => e.kind === 'steps').at(-1)!;
    expect(last.secondsLeft).toBe(0);
  });

  it('records the loss of all micro-steps together and moves the parameters once', async () => {
    const { loop, executable } = setup({ steps: 1 });
    await loop.run();
    const targets = [0, 1].map((k) => random(1, 'target', k).normal(SIZE));
    const loss = targets.map((t) => t.reduce((s, x) => s + (x * x) / 2, 0));
    expect(loop.history.at(0)!.loss).toBeCloseTo((loss[0]! + loss[1]!) / 2, 5);
    const { theta } = await executable.readState();
    theta!.forEach((x, i) => expect(x).toBeCloseTo((0.1 / 3) * ((targets[0]![i]! + targets[1]![i]!) / 2), 6));
  });

  it('goes on bit for bit from any checkpoint', async () => {
    const whole = setup();
    await whole.loop.run();
    for (const cut of [1, 7, 13, 29]) {
      let saved: LoopState | undefined;
      const before = setup({
        between: (done) => {
          if (done === cut) before.loop.pause();
        },
        checkpoint: { steps: 1000, seconds: 1e9, save: async (content) => void (saved = content) },
      });
      expect(await before.loop.run()).toBe('paused');
      const after = setup();
      await after.loop.restore(structuredClone(saved!));
      expect(after.loop.step).toBe(cut);
      expect(await after.loop.run()).toBe('finished');
      expect(await after.executable.readState()).toEqual(await whole.executable.readState());
      expect(comparable(after.loop.history)).toEqual(comparable(whole.loop.history));
    }
  });

  it('goes on by itself after a pause', async () => {
    const { loop, executable } = setup({
      between: (done) => {
        if (done === 5) loop.pause();
      },
    });
    expect(await loop.run()).toBe('paused');
    expect(loop.step).toBe(5);
    expect(await loop.run()).toBe('finished');
    const whole = setup();
    await whole.loop.run();
    expect(await executable.readState()).toEqual(await whole.executable.readState());
  });

  it('hears a pause or a stop sent as a message while it trains', async () => {
    const { loop } = setup({ steps: 1_000_000, now: () => performance.now() });
    const message = setInterval(() => {
      if (loop.step > 0) loop.stop();
    });
    expect(await loop.run()).toBe('stopped');
    clearInterval(message);
    expect(loop.step).toBeGreaterThan(0);
  });

  it.each(['pause', 'stop'] as const)(
    'hears a %s in the middle of a long update, and takes the update back',
    async (wish) => {
      const accumulate = 100;
      const whole = setup({ accumulate, steps: 4 });
      await whole.loop.run();
      for (const [at, readEvery] of [
        [1, 1],
        [40, 1],
        [70, 7],
      ] as const) {
        let saved: LoopState | undefined;
        let fed = 0;
        const before = setup({
          accumulate,
          readEvery,
          steps: 4,
          feeds: (step, micro, rate) => {
            fed++;
            if (fed === 2 * accumulate + at + 1) before.loop[wish]();
            return {
              target: random(1, 'target', step * accumulate + micro).normal(SIZE),
              schedule: Float32Array.of(rate, Number(micro === accumulate - 1)),
            };
          },
          checkpoint: { steps: 1000, seconds: 1e9, save: async (content) => void (saved = content) },
        });
        expect(await before.loop.run()).toBe(wish === 'pause' ? 'paused' : 'stopped');
        expect(fed).toBe(2 * accumulate + at + 1);
        expect(before.loop.step).toBe(2);
        expect(comparable(before.loop.history)).toEqual(comparable(whole.loop.history).slice(0, 2));
        const after = setup({ accumulate, steps: 4 });
        await after.loop.restore(structuredClone(saved!));
        await after.loop.run();
        expect(await after.executable.readState()).toEqual(await whole.executable.readState());
        // And where it stands, too.
        await before.loop.run();
        expect(await before.executable.readState()).toEqual(await whole.executable.readState());
      }
    },
  );

  it('lets messages in between the micro-steps of an update', async () => {
    const { loop } = setup({ accumulate: 1_000_000, steps: 1, now: () => performance.now() });
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => loop.pause();
    port2.postMessage(null);
    expect(await loop.run()).toBe('paused');
    port1.close();
    expect(loop.step).toBe(0);
  });

  it('saves every so many steps, and once at the end', async () => {
    const saved: number[] = [];
    const { loop } = setup({
      checkpoint: { steps: 8, seconds: 1e9, save: async (content) => void saved.push(content.step) },
    });
    await loop.run();
    expect(saved).toEqual([8, 16, 24, 30]);
  });

  it('saves after so many seconds, however few steps', async () => {
    let clock = 0;
    const saved: number[] = [];
    const { loop } = setup({
      now: () => clock,
      between: () => void (clock += 1000),
      checkpoint: { steps: 1000, seconds: 10, save: async (content) => void saved.push(content.step) },
    });
    await loop.run();
    expect(saved).toEqual([10, 20, 30]);
  });

  it.each([1, 3])(
    'reads only every n-th step when asked to, and records them all (%i micro-steps)',
    async (accumulate) => {
      const { loop, executable } = setup({ readEvery: 10, accumulate });
      await loop.run();
      expect(executable.reads.filter((r) => r.length > 0)).toHaveLength(4);
      const whole = setup({ accumulate });
      await whole.loop.run();
      expect(comparable(loop.history)).toEqual(comparable(whole.loop.history));
      expect(await executable.readState()).toEqual(await whole.executable.readState());
    },
  );

  it('keeps the state on the host from the start on, every so many seconds, and not where it was just saved', async () => {
    const held: LoopState[] = [];
    const saved: number[] = [];
    const { loop, executable } = setup({
      readEvery: 7,
      checkpoint: {
        steps: 12,
        seconds: 1e9,
        save: async ({ step }) => void saved.push(step),
        hold: { seconds: 1, keep: (content) => held.push(structuredClone(content)) },
      },
    });
    await loop.run();
    expect(saved).toEqual([12, 24, 30]);
    const steps = held.map(({ step }) => step);
    expect(steps[0]).toBe(0);
    expect(steps.length).toBeGreaterThan(3);
    expect(steps).not.toContain(12);
    const whole = await executable.readState();
    for (const content of held) {
      const after = setup({ readEvery: 7 });
      await after.loop.restore(content);
      await after.loop.run();
      expect(await after.executable.readState()).toEqual(whole);
      expect(comparable(after.loop.history)).toEqual(comparable(loop.history));
    }
  });

  it('records every step when the trace is shorter than the runs between two reads', async () => {
    const { loop } = setup({ readEvery: 100, accumulate: 5 });
    await loop.run();
    const whole = setup({ accumulate: 5 });
    await whole.loop.run();
    expect(comparable(loop.history)).toEqual(comparable(whole.loop.history));
  });

  it('has every record in a checkpoint between two reads', async () => {
    const saved: LoopState[] = [];
    const { loop } = setup({
      readEvery: 10,
      checkpoint: { steps: 4, seconds: 1e9, save: async (c) => void saved.push(c) },
    });
    await loop.run();
    expect(saved.map((c) => c.history.step.length)).toEqual(saved.map((c) => c.step));
  });

  it('reports a residual that grows too large', async () => {
    const { loop, events } = setup({ steps: 3, largestResidual: 0 });
    await loop.run();
    expect(events.filter((e) => e.kind === 'residual').map((e) => e.step)).toEqual([0, 1, 2]);
    const calm = setup({ steps: 3, largestResidual: 1e9 });
    await calm.loop.run();
    expect(calm.events.some((e) => e.kind === 'residual')).toBe(false);
  });
});

describe('the guard against non-finite numbers', () => {
  it('counts and leaves out single bad steps', async () => {
    const { loop, executable } = setup({}, (step) => [3, 4, 5, 6, 10].includes(step));
    expect(await loop.run()).toBe('finished');
    expect([...loop.history].filter((r) => r.skipped).map((r) => r.step)).toEqual([3, 4, 5, 6, 10]);
    expect((await executable.readState())['theta']!.every(Number.isFinite)).toBe(true);
  });

  it('ends the run after five in a row, with the parameters of the last good step', async () => {
    const saved: number[] = [];
    const { loop, executable, events } = setup(
      { checkpoint: { steps: 10, seconds: 1e9, save: async (c) => void saved.push(c.step) } },
      (step) => step >= 12,
    );
    const error = await loop.run().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error).toMatchObject({ firstBad: 12, checkpointStep: 10 });
    expect((error as Error).message).toMatch(/step 13.* 5 times in a row\.$/);
    const sent = events.flatMap((e) => (e.kind === 'steps' ? e.records : []));
    expect(sent.at(-1)?.step).toBe(16);
    const good = setup({ steps: 12 });
    await good.loop.run();
    expect((await executable.readState())['theta']).toEqual((await good.executable.readState())['theta']);
  });

  it('counts on across a pause', async () => {
    let saved: LoopState | undefined;
    const before = setup(
      {
        between: (done) => {
          if (done === 15) before.loop.pause();
        },
        checkpoint: { steps: 1000, seconds: 1e9, save: async (content) => void (saved = content) },
      },
      (step) => step >= 12,
    );
    await before.loop.run();
    const after = setup({}, (step) => step >= 12);
    await after.loop.restore(saved!);
    await expect(after.loop.run()).rejects.toMatchObject({ firstBad: 12 });
    expect(after.loop.step).toBe(17);
  });

  it.each([0, 1])('leaves out and counts an update of which micro-step %i is bad', async (which) => {
    const accumulate = 2;
    const feeds = (step: number, micro: number, rate: number) => ({
      target: new Float32Array(SIZE).fill(step === 1 && micro === which ? NaN : 1),
      schedule: Float32Array.of(rate, Number(micro === accumulate - 1)),
    });
    const once = setup({ steps: 1, feeds });
    await once.loop.run();
    const { loop, executable } = setup({ steps: 2, feeds });
    await loop.run();
    expect([...loop.history].map((r) => r.skipped ?? false)).toEqual([false, true]);
    expect((await executable.readState())['theta']).toEqual((await once.executable.readState())['theta']);
    const always = setup({
      feeds: (step, micro, rate) => ({
        ...feeds(step, micro, rate),
        target: new Float32Array(SIZE).fill(micro === which ? NaN : 1),
      }),
    });
    await expect(always.loop.run()).rejects.toThrow(NonFiniteError);
  });
});

describe('Pace', () => {
  it('goes by the median of the last steps', () => {
    const pace = new Pace(5);
    expect(pace.secondsFor(10)).toBe(0);
    for (const ms of [9000, 10, 20, 30, 40, 50]) pace.add(ms);
    expect(pace.median).toBe(30);
    expect(pace.secondsFor(100)).toBe(3);
  });
});
