/** @file What a fix's button promises is what the plan then does. */
import { describe, expect, it } from 'vitest';
import { compatibility } from '#src/oft/preflight/compatibility.ts';
import { peftSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Plan } from '#src/oft/types.ts';
import { fixFor } from './planFixes.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { fakeLayers } from '../testing/fakeLayers.ts';

const verdicts = (plan: Plan) => compatibility(planLayers(fakeLayers, plan).planned);
const rank = { loads: 2, loss: 1, no: 0 };

const plans: Record<string, Plan> = {
  'the demo’s': fakeJob.plan,
  'PEFT’s': { ...peftSettings, rules: [] },
  'large blocks, rescaled': { ...fakeJob.plan, blocks: { count: 4, fit: 'nearest' }, rescale: true },
  BOFT: { ...fakeJob.plan, algorithm: 'boft', blocks: { size: 8, fit: 'nearest', stages: 2 } },
  constrained: { ...fakeJob.plan, constraint: 0.001, clamp: 'paper' },
  'with sides by rules': {
    ...fakeJob.plan,
    rules: [{ ...peftSettings, match: { kind: 'conv' } }],
  },
};

describe.each(Object.entries(plans))('%s plan', (_, plan) => {
  it('is mended for a tool by the change that is offered, and only by one that helps', () => {
    for (const { tool, verdict } of verdicts(plan)) {
      const fix = fixFor(tool, fakeLayers, plan);
      if (verdict === 'loads') {
        expect(fix).toBeNull();
        continue;
      }
      if (!fix) continue;
      const after = verdicts(fix.plan).find((each) => each.tool === tool);
      expect(after?.verdict).toBe(fix.verdict);
      expect(rank[fix.verdict]).toBeGreaterThan(rank[verdict]);
      expect(planLayers(fakeLayers, fix.plan).problems.filter((p) => p.severity === 'error')).toEqual([]);
    }
  });
});

it('finds a way into either family of tools', () => {
  const into = (plan: Plan, tool: 'LyCORIS' | 'PEFT') => fixFor(tool, fakeLayers, plan);
  expect(into(fakeJob.plan, 'PEFT')).not.toBeNull();
  expect(into(plans['PEFT’s']!, 'LyCORIS')).not.toBeNull();
});
