/** @file What the save panel says of each destination. */
import { describe, expect, it } from 'vitest';
import { adapterFit } from '#src/formats/adapterFiles.ts';
import { planLayers } from '#src/oft/rules.ts';
import { peftSettings } from '#src/oft/planned.ts';
import type { Plan } from '#src/oft/types.ts';
import { bestDestination, destinations, verdictOf } from './destinations.ts';
import { fakeJob } from './testing/fakeJob.ts';
import { fakeLayers } from './testing/fakeLayers.ts';

const verdicts = (plan: Plan) => {
  const { planned } = planLayers(fakeLayers, plan);
  return destinations.map(({ format }) => verdictOf(adapterFit(format, planned)));
};
const named = (plan: Plan) =>
  Object.fromEntries(verdicts(plan).map(({ verdict }, i) => [destinations[i]!.format, verdict]));

describe('destinations', () => {
  it('take the demo’s adapter where its side is known, and say why elsewhere', () => {
    const found = named(fakeJob.plan);
    expect(found).toMatchObject({ comfyui: 'loss', lycoris: 'whole', peft: 'no', oft_r: 'no', onnx: 'loss' });
    const peft = verdicts(fakeJob.plan)[2]!;
    expect(peft.words.join(' ')).toMatch(/input/);
    expect(destinations[bestDestination(verdicts(fakeJob.plan))]?.format).toBe('lycoris');
  });

  it('take an input-side adapter as PEFT’s, not as LyCORIS’s', () => {
    const plan = { ...peftSettings, rules: [{ match: { kind: 'conv' as const }, skip: true }] };
    expect(named(plan)).toMatchObject({ comfyui: 'no', lycoris: 'no' });
    expect(named(plan).peft).not.toBe('no');
    expect(destinations[bestDestination(verdicts(plan))]?.format).not.toBe('lycoris');
  });

  it('fall back on what holds anything', () => {
    expect(
      bestDestination([
        { verdict: 'no', words: [] },
        { verdict: 'loss', words: [] },
      ]),
    ).toBe(1);
    expect(bestDestination([{ verdict: 'no', words: [] }])).toBe(0);
  });
});
