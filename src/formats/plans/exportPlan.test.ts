import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { conv, linear } from '#src/oft/testing/layers.ts';
import type { Layer, Plan, PlannedLayer } from '#src/oft/types.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { exportKohyaArgs, exportLycorisPreset } from './exportPlan.ts';
import { importPlan } from './importPlan.ts';
import { defaultPlan, parsePlan } from './plan.ts';
import { presetNames, presetPlan } from './presets.ts';
import { arbitraryPlan } from '../testing/arbitraryPlan.ts';
import { clipLayers, golden, unetLayers } from '../testing/models.ts';

const layer = (path: string, out: number, kernel: number[] = []): Layer =>
  kernel.length > 0
    ? conv(path, out, kernel, { in: 64, part: 'unet' })
    : linear(path, out, { in: 64, part: 'unet' });
const layers = [
  layer('down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q', 320),
  layer('down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q2', 320),
  layer('down_blocks.0.resnets.0.conv1', 64, [3, 3]),
  layer('mid.proj', 48, [1, 1]),
  layer('time_embedding.linear_1', 128),
];
const seen = (planned: readonly PlannedLayer[]) =>
  planned.map((p) => [p.layer.path, p.algorithm, p.count, p.size, p.stages, p.constraint, p.rescale]);

/** Rules by everything that presets have no word for. */
const mixed = `
blocks = { dim = 8 }
constraint = 0.01
[[rule]]
match = { kind = "conv", kernel = 3, out = ">32" }
blocks = { dim = 2 }
rescale = true
[[rule]]
match = { role = "query" }
algorithm = "boft"
[[rule]]
match = { part = "text_encoder*", name = "*fc?" }
skip = true
`;

/** The plan with all that LyCORIS has no word for taken out; its rules keep their matches. */
const tame = (plan: Plan): Plan => ({
  ...plan,
  ...defaultSettings,
  algorithm: plan.algorithm,
  constraint: plan.constraint,
  rescale: plan.rescale,
  blocks: { dim: plan.blocks.dim ?? 8 },
  rules: plan.rules.map(({ match, skip, constraint, rescale, blocks }) => ({
    match,
    ...(skip && { skip }),
    ...(constraint !== undefined && { constraint }),
    ...(rescale !== undefined && { rescale }),
    ...(blocks?.dim !== undefined && { blocks: { dim: blocks.dim } }),
  })),
});

describe('exportLycorisPreset', () => {
  it('comes back as the same layers with the same blocks, whenever it says that nothing is lost', () => {
    let whole = 0;
    fc.assert(
      fc.property(arbitraryPlan.map(tame), (plan) => {
        const { text, losses } = exportLycorisPreset(plan, layers);
        const before = planLayers(layers, plan).planned;
        if (losses.length > 0 || before.length === 0) return;
        whole++;
        expect(seen(planLayers(layers, importPlan(text).plan).planned)).toEqual(seen(before));
      }),
      { numRuns: depth(100, 400), seed: 11 },
    );
    expect(whole).toBeGreaterThan(depth(5, 20));
  });
  it('selects in the real LyCORIS what the plan adapts', async () => {
    const model = [...unetLayers().map((l) => ({ ...l, part: 'unet' })), ...clipLayers()];
    const plan = parsePlan(mixed);
    const { text, losses } = exportLycorisPreset(plan, model);
    expect(losses).toEqual([]);
    // What LyCORIS made of this very text lies in selections.json; after a change, run make.py beside it.
    await expect(text).toMatchFileSnapshot('../../../e2e/golden/presets/exported.toml');
    const { exported } = golden('presets/selections.json') as {
      exported: { preset: string; selected: Record<string, Record<string, unknown>> };
    };
    expect(exported.preset).toBe(text);
    for (const [part, want] of Object.entries(exported.selected))
      expect(
        Object.fromEntries(
          planLayers(model, plan)
            .planned.filter((p) => p.layer.part === part)
            .map((p) => [
              p.layer.path,
              p.algorithm === 'boft'
                ? ['boft', p.stages, p.count, p.size, p.size]
                : ['diag-oft', p.count, p.size, p.size],
            ]),
        ),
      ).toEqual(want);
  });
  it('says what LyCORIS cannot do', () => {
    const { losses } = exportLycorisPreset({ ...defaultPlan, blocks: { count: 4 }, lrScale: 2 }, layers);
    expect(losses).toEqual([
      expect.stringMatching(/chooses blocks from dim alone.*to_q/) as string,
      expect.stringMatching(/lr_scale/) as string,
    ]);
  });
});

describe('exportKohyaArgs', () => {
  it.each(presetNames)('names the preset %s', (name) => {
    const plan = { ...presetPlan(name), blocks: { dim: 8 }, constraint: 0.01, rescale: true };
    const { text, losses } = exportKohyaArgs(plan, layers);
    // LyCORIS 4.1.3 raises on these: its own lists name the time embedding twice.
    expect(losses.map((l) => /duplicated name on its preset ([\w-]+)/.exec(l)?.[1])).toEqual(
      ['full', 'full-lin', 'unet-only'].includes(name) ? [name] : [],
    );
    expect(importPlan(text).plan).toEqual(plan);
  });
  it('names full for a plan without rules only where that adapts the same layers', () => {
    const args = (l: readonly Layer[]): string => exportKohyaArgs(defaultPlan, l).text;
    expect(args(layers.filter((l) => l.path !== 'mid.proj'))).toContain('preset=full"');
    expect(args(layers)).toContain('preset=lycoris-preset.toml"');
  });
  it('points to the preset file where the rules are none of LyCORIS’s', () => {
    const { text, losses } = exportKohyaArgs(
      { ...defaultPlan, rules: [{ match: { position: 0 }, skip: true }] },
      layers,
    );
    expect(text).toContain('preset=lycoris-preset.toml');
    expect(losses.at(-1)).toMatch(/lycoris-preset\.toml/);
  });
});
