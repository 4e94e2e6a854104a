/** @file The three choices: each is a job that can be trained, of the size that it says, and whatever the place it still loads there. */
import { describe, expect, it } from 'vitest';
import { planLayers } from '#src/oft/plan/planning.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { fakeLayers } from '../testing/fakeLayers.ts';
import { depthOf, depthsAround, withDepth } from './depths.ts';
import { heldAsWell, holds, placesOf, planFor } from './places.ts';

const places = placesOf('diffusion');

describe.each(places)('for $name', (place) => {
  const { plan, losses } = planFor(place, fakeLayers, fakeJob.plan);
  const depths = depthsAround(plan, 120, fakeLayers, heldAsWell(place, fakeLayers, plan));

  it('the plan can be held whole, or what is lost is said', () => {
    expect(holds(place, fakeLayers, plan) || losses.length > 0).toBe(true);
  });

  it('light trains less and thorough more, by steps and by numbers', () => {
    const [light, balanced, thorough] = depths;
    expect(depths.map(({ steps }) => steps)).toEqual([40, 120, 360]);
    expect(light!.numbers).toBeLessThan(balanced!.numbers!);
    expect(thorough!.numbers).toBeGreaterThan(balanced!.numbers!);
    for (const depth of depths) {
      const { planned, problems } = planLayers(fakeLayers, depth.plan);
      expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(planned.reduce((n, { stored }) => n + stored, 0)).toBe(depth.numbers);
      if (holds(place, fakeLayers, plan)) expect(holds(place, fakeLayers, depth.plan)).toBe(true);
    }
  });

  it('each is recognised in the job that it makes, and chosen again changes nothing', () => {
    let job = fakeJob;
    for (const depth of [...depths, ...depths.toReversed()]) {
      job = withDepth(job, depth);
      expect(depthOf(job, depths)).toBe(depth.id);
      expect(withDepth(job, depth)).toEqual(job);
      expect(job.train.warmup).toBeLessThan(job.train.steps);
    }
  });
});

it('differs by steps alone where the layers are not known yet or no other size is held', () => {
  for (const layers of [null, fakeLayers])
    for (const depth of depthsAround(fakeJob.plan, 30, layers, () => false))
      expect(depth.plan).toBe(fakeJob.plan);
});

it('settings made by hand are none of the three', () => {
  const depths = depthsAround(fakeJob.plan, 120, fakeLayers, () => true);
  expect(depthOf({ ...fakeJob, train: { ...fakeJob.train, steps: 7 } }, depths)).toBeNull();
});

it('programs that draw pictures are asked about for pictures only', () => {
  expect(placesOf('generic').map(({ id }) => id)).toEqual(['here', 'lycoris', 'peft', 'onnx']);
});
