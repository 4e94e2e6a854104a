/** @file Runs on a model that is held in 4 bits: what is said before, that they go on as if never cut, and that files are made of the model's own weights. */
import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Quantise } from '#src/formats/jobs/jobTypes.ts';
import { recordsOf } from '#src/training/steps.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Constant } from '#src/onnx/model.ts';
import type { JobRequest, Preparation } from '../protocol.ts';
import { publicFetch } from './testing/publicFetch.ts';
import {
  adapterBytes,
  job,
  Lab,
  problem,
  request,
  timeless,
  tinyRequest,
  tinyJob,
  value,
  wholeRun,
} from './testing/sessions.ts';

beforeAll(() => vi.stubGlobal('fetch', publicFetch()));
afterAll(() => vi.unstubAllGlobals());

const heldIn = (quantise: Quantise): JobRequest =>
  request({ job: { ...job, train: { ...job.train, quantise }, sample: { ...job.sample, every: 0 } } });

const original = () =>
  decodeModel(new Uint8Array(readFileSync('public/models/emoji/unet/model.onnx'))).graph.initializers;

const bytesOf = (constant: Constant | undefined): Uint8Array => {
  if (constant?.data.kind !== 'inline') throw new Error('not at hand');
  return constant.data.bytes;
};

describe('a model held in fewer bits', () => {
  const prepared = async (quantise: Quantise): Promise<Preparation> =>
    value(await new Lab(`prepared-${quantise}`).newSession().prepare(heldIn(quantise), false));

  it('takes the fewer bytes that are said, and is off by what is said', async () => {
    const [float, eight, four] = [await prepared('no'), await prepared('int8'), await prepared('int4')];
    expect(float.rounded).toBeUndefined();
    for (const [{ rounded, fit }, bits, share, error] of [
      [eight, 8, 0.28, 0.01],
      [four, 4, 0.16, 0.1],
    ] as const) {
      expect(rounded).toMatchObject({ bits, left: [] });
      const { before, after, weights, outputs } = rounded!;
      expect(weights.length).toBeGreaterThan(100);
      expect(after / before).toBeLessThan(share);
      expect(Math.max(...weights.map((w) => w.error))).toBeLessThan(error);
      // Layers make up for one another's errors in part; the whole is not far worse than one.
      expect(outputs!).toBeGreaterThan(error / 10);
      expect(outputs!).toBeLessThan(2 * error);
      // But for the zero points of 8 bits, which layers of one shape share, what is saved is what was said.
      expect(float.fit!.weights - fit!.weights).toBeGreaterThan(0.98 * (before - after));
      expect(float.fit!.weights - fit!.weights).toBeLessThanOrEqual(before - after);
    }
  }, 120_000);

  it('goes on after a pause with the bytes of a run never cut, and is another run than in float', async () => {
    const asked = heldIn('int4');
    const whole = await wholeRun(new Lab('quantised-whole'), asked);
    const lab = new Lab('quantised-cut');
    const first = lab.newSession();
    const paused = value(
      await first.start(asked, (event) => {
        if (event.kind === 'steps' && event.records.some(({ step }) => step === 1)) void first.pause();
      }),
    );
    expect(paused.outcome).toBe('paused');
    const second = lab.newSession();
    const result = value(await second.start(asked, () => undefined, paused.id));
    expect(timeless(result)).toEqual(timeless(whole.result));
    expect(await adapterBytes(second)).toEqual(whole.bytes);
    const refused = await lab.newSession().start(heldIn('int8'), () => undefined, paused.id);
    expect(problem(refused)?.message).toContain('train.quantise was "int4", now "int8"');

    const float = await wholeRun(new Lab('quantised-float'), heldIn('no'));
    const losses = [whole, float].map(({ result }) => recordsOf(result.history).map(({ loss }) => loss));
    losses[0]!.forEach((loss, i) => {
      expect(loss).not.toBe(losses[1]![i]);
      expect(Math.abs(loss / losses[1]![i]! - 1)).toBeLessThan(0.2);
    });
  }, 240_000);

  it('is merged into its own weights', async () => {
    const session = new Lab('quantised-merged').newSession();
    const asked = heldIn('int4');
    const rules = job.plan.rules.map(({ rescale: _, ...rule }) => rule);
    const turned = { ...asked, job: { ...asked.job, plan: { ...job.plan, rules } } };
    value(await session.start(turned, () => undefined));
    const merged = decodeModel(await adapterBytes(session, 'onnx')).graph;
    const own = original();
    expect(merged.nodes.some(({ op }) => op === 'DequantizeLinear')).toBe(false);
    const changed: string[] = [];
    for (const [name, constant] of own) {
      const now = merged.initializers.get(name);
      expect(now).toMatchObject({ type: constant.type, shape: constant.shape });
      if (!Buffer.from(bytesOf(now)).equals(bytesOf(constant))) changed.push(name);
    }
    expect(changed.length).toBeGreaterThan(5);
    // A rotation keeps the norm of a weight; that of the rounded one is another in the third digit.
    const norm = (bytes: Uint8Array): number => Math.hypot(...new Float32Array(bytes.slice().buffer));
    for (const name of changed)
      expect(norm(bytesOf(merged.initializers.get(name))) / norm(bytesOf(own.get(name)))).toBeCloseTo(1, 5);
  }, 120_000);

  it('says where there is no weight to round', async () => {
    const asked = tinyRequest({ train: { ...tinyJob.train, quantise: 'int4' } });
    const { problems, rounded } = value(await new Lab('quantised-tiny').newSession().prepare(asked, false));
    expect(rounded).toMatchObject({ weights: [], before: 0, outputs: null });
    expect(problems.find(({ message }) => message.includes('4 bits'))).toMatchObject({
      severity: 'warning',
      message:
        'No weight of this model is held in 4 bits: there is no large one in float that a layer multiplies by.',
    });
  });
});
