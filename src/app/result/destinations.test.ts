/** @file What the save panel says of each destination. */
import { describe, expect, it } from 'vitest';
import { adapterFit, headLosses } from '#src/formats/adapters/adapterFiles.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { peftSettings } from '#src/oft/plan/planned.ts';
import type { Plan } from '#src/oft/types.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import { bestDestination, destinations, destinationsFor, verdictOf } from './destinations.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { fakeLayers } from '../testing/fakeLayers.ts';

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

  it.each(taskInfos.map(({ id }) => id))('of %s begin with those that load such models', (task) => {
    const { fitting, others } = destinationsFor(task);
    expect([...fitting, ...others].map(({ format }) => format).toSorted()).toEqual(
      destinations.map(({ format }) => format).toSorted(),
    );
    expect(fitting.map(({ format }) => format)).toContain('onnx');
    expect(fitting.some(({ format }) => format === 'comfyui')).toBe(task === 'diffusion');
    // Where nothing but the merged model is at home, it is what is offered, and called so.
    const { planned } = planLayers(fakeLayers, fakeJob.plan);
    const of = (list: typeof fitting) => list.map(({ format }) => verdictOf(adapterFit(format, planned)));
    const best = [...fitting, ...others][bestDestination(of(fitting), of(others))]!;
    expect([best.format, best.noun]).toEqual(
      task === 'diffusion' ? ['lycoris', 'adapter'] : ['onnx', 'model'],
    );
  });

  it('go elsewhere where no fitting one takes it', () => {
    const no = { verdict: 'no', words: [], headless: false } as const;
    const whole = { verdict: 'whole', words: [], headless: false } as const;
    expect(bestDestination([no, no], [no, whole])).toBe(3);
    expect(bestDestination([no, no], [no])).toBe(0);
  });

  it('fall back on what holds anything', () => {
    expect(
      bestDestination([
        { verdict: 'no', words: [], headless: false },
        { verdict: 'loss', words: [], headless: false },
      ]),
    ).toBe(1);
    expect(bestDestination([{ verdict: 'no', words: [], headless: false }])).toBe(0);
  });

  it('name what leaves a new last layer out, and offer the merged model first', () => {
    const { planned } = planLayers(fakeLayers, fakeJob.plan);
    const whole = [{ name: 'net.classifier.weight' }, { name: 'net.classifier.bias' }];
    const found = destinations.map(({ format }) =>
      verdictOf(adapterFit(format, planned, whole), headLosses(format, whole).length > 0),
    );
    const of = (format: string) => found[destinations.findIndex((d) => d.format === format)]!;
    expect(of('lycoris')).toMatchObject({ verdict: 'loss', headless: true });
    expect(of('lycoris').words.join(' ')).toMatch(/new last layer \(net\.classifier\.weight.*merged model/);
    expect(of('onnx').headless).toBe(false);
    expect(destinations[bestDestination(found)]?.format).toBe('onnx');
  });
});
