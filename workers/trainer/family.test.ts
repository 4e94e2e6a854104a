/** @file Runs of the whole OFT family on a tiny model: orthogonality, dropout, either side, the series. */
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it } from 'vitest';
import { defaultSettings, peftSettings } from '#src/oft/plan/planned.ts';
import type { LayerSettings } from '#src/oft/types.ts';
import type { RunEvent } from '../protocol.ts';
import { adapterBytes, Lab, timeless, tinyJob, tinyRequest, value } from './testing/sessions.ts';

let serial = 0;
let lab: Lab;
beforeEach(() => {
  lab = new Lab(`family-${serial++}`);
});

/** BOFT has no blocks for three outputs: the head is skipped there. */
const plan = (settings: Partial<LayerSettings>) => ({
  plan: {
    ...defaultSettings,
    ...settings,
    rules: settings.algorithm === 'boft' ? [{ match: { name: 'conv_out' }, skip: true }] : [],
  },
});
const warnings = (events: readonly RunEvent[]) =>
  events.flatMap((e) => (e.kind === 'warning' ? [e.problem] : []));

describe('orthogonality', () => {
  const train = { ...tinyJob.train, steps: 1000, learningRate: 0.3, schedule: 'constant' as const };
  const sample = { ...tinyJob.sample, prompts: [], every: 100 };

  it('stays within 1e-5 over 1,000 steps at a high rate, with more rounds as blocks turn', async () => {
    const session = lab.newSession();
    const events: RunEvent[] = [];
    const request = tinyRequest({ ...plan({ blocks: { size: 8, fit: 'nearest' } }), train, sample });
    const result = value(await session.start(request, (e) => events.push(e)));
    expect(result.step).toBe(1000);
    const found = result.evaluations.map((e) => e.orthogonality?.exact ?? NaN);
    expect(found).toHaveLength(11);
    expect(Math.max(...found)).toBeLessThan(1e-5);
    // It is the device's own arithmetic, not the host's.
    expect(found.at(-1)).toBeGreaterThan(0);
    expect(result.orthogonality).toEqual({ exact: found.at(-1), series: null });
    expect(warnings(events)).toEqual([]);
    const stored = await lab.runs().load(result.id);
    expect(stored?.content.rounds).toBeGreaterThan(10);
  }, 120_000);

  it('says why not where the series is cut off', async () => {
    const session = lab.newSession();
    const events: RunEvent[] = [];
    const short = { ...train, steps: 20, learningRate: 0.05 };
    const request = tinyRequest({ ...plan(peftSettings), train: short, sample: { ...sample, every: 10 } });
    const result = value(await session.start(request, (e) => events.push(e)));
    expect(result.orthogonality?.exact).toBeNull();
    expect(result.orthogonality?.series).toBeGreaterThan(1e-5);
    // At this rate the loss grows, too, which is said of its own.
    expect(warnings(events).filter(({ code }) => code !== 'loss-grows')).toEqual([
      expect.objectContaining({
        code: 'not-orthogonal',
        message: expect.stringMatching(/Cayley–Neumann.*after 10 steps/) as string,
        cure: expect.stringMatching(/exact/) as string,
      }),
    ]);
  });
});

describe('runs cut and resumed', () => {
  const train = { ...tinyJob.train, steps: 12, accumulate: 2, learningRate: 0.02 };
  const sample = { ...tinyJob.sample, prompts: ['ghost'], every: 0 };

  it.each([
    ['dropout of layers and blocks', { moduleDropout: 0.3, rankDropout: 0.3, rescale: true }],
    ['the input side in PEFT’s way', peftSettings],
    ['BOFT', { algorithm: 'boft', blocks: { size: 4 } }],
    ['blocks of 8 under dropout', { blocks: { size: 8, fit: 'nearest' }, rankDropout: 0.3 }],
    [
      'shared blocks under a clamp',
      { blocks: { count: 4, share: true, fit: 'nearest' }, constraint: 1e-3, clamp: 'paper' },
    ],
  ] as const)('give the bytes of a run never cut: %s', async (_, settings) => {
    const request = tinyRequest({ ...plan(settings), train, sample });
    const uncut = lab.newSession();
    const whole = value(await uncut.start(request, () => undefined));
    expect(whole.history.loss.every(Number.isFinite)).toBe(true);
    const cut = lab.newSession();
    const paused = value(await cut.start(request, (e) => e.kind === 'steps' && void cut.pause()));
    expect(paused.outcome).toBe('paused');
    expect(paused.step).toBeLessThan(12);
    const resumed = lab.newSession();
    const result = value(await resumed.start(request, () => undefined, paused.id));
    expect(timeless(result)).toEqual(timeless(whole));
    const format = 'side' in settings ? 'peft' : 'lycoris';
    expect(await adapterBytes(resumed, format)).toEqual(await adapterBytes(uncut, format));
  });

  it('dropout leaves blocks out that training without it moves', async () => {
    const one = { ...train, steps: 1, accumulate: 1, clip: 0, warmup: 0 };
    const moved = async (settings: Partial<LayerSettings>): Promise<number> => {
      const session = lab.newSession();
      const { id } = value(
        await session.start(tinyRequest({ ...plan(settings), train: one, sample }), () => undefined),
      );
      const stored = await lab.runs().load(id);
      return stored!.content.checkpoint.state['theta']!.filter((x) => x !== 0).length;
    };
    const all = await moved({});
    const some = await moved({ rankDropout: 0.5 });
    expect(some).toBeGreaterThan(0);
    expect(some).toBeLessThan(0.8 * all);
    expect(await moved({ moduleDropout: 0.999999 })).toBe(0);
  });
});
