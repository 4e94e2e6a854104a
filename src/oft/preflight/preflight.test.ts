import { describe, expect, it } from 'vitest';
import { proposeForBudget } from '../blocks/budget.ts';
import { compatibility } from './compatibility.ts';
import { oneNumberFits } from './troubles.ts';
import type { ToolVerdict } from '../modules/types.ts';
import { nameModules } from '../modules/tree.ts';
import { peftSettings } from '../plan/planned.ts';
import { preflight } from './preflight.ts';
import { planLayers } from '../plan/planning.ts';
import { conv, linear, plan } from '../testing/layers.ts';
import type { Plan } from '../types.ts';

const attention = 'down_blocks.0.attentions.0.transformer_blocks.0.attn2';
const layers = nameModules([
  linear(`${attention}.to_q`, 320, { in: 320 }),
  linear(`${attention}.to_k`, 320, { in: 768 }),
  conv('mid_block.resnets.0.conv1', 64, 3, { in: 32 }),
  linear('mid_block.resnets.0.time_emb_proj', 37, { in: 16 }),
]);
const verdicts = (p: Partial<Plan>, of = layers): Record<string, string> =>
  Object.fromEntries(compatibility(planLayers(of, plan(p)).planned).map((t) => [t.tool, t.verdict]));
const verdict = (tool: ToolVerdict['tool'], p: Partial<Plan>, of = layers): ToolVerdict =>
  compatibility(planLayers(of, plan(p)).planned).find((t) => t.tool === tool)!;

describe('preflight', () => {
  it('has a row for every layer, in order, and totals that are their sums', () => {
    const { rows, totals, problems } = preflight(
      layers,
      plan({
        rules: [
          { match: { name: 'mid_block*conv1' }, skip: true },
          { match: { name: '*.to_k' }, blocks: { count: 7 } },
        ],
      }),
      { loraRank: 8 },
    );
    expect(rows.map((r) => [r.layer.path, r.state, r.rule])).toEqual([
      [`${attention}.to_q`, 'adapted', null],
      [`${attention}.to_k`, 'error', 1],
      ['mid_block.resnets.0.conv1', 'skipped', 0],
      ['mid_block.resnets.0.time_emb_proj', 'identity', null],
    ]);
    // 320 by dim 4: 80 × 4; 37 is prime: 37 blocks of one.
    expect(totals).toEqual({
      layers: 4,
      adapted: 2,
      skipped: 1,
      stored: 80 * 16 + 37,
      effective: 80 * 6,
      base: 320 * 320 + 320 * 768 + 64 * 32 * 9 + 37 * 16,
      lora: { rank: 8, numbers: 8 * (320 + 320) + 8 * (37 + 16) },
    });
    expect(rows.reduce((n, r) => n + r.share, 0)).toBeCloseTo(1);
    expect(rows[1]!.message).toMatch(/5|8/);
    expect(problems.filter((p) => p.severity === 'error')).toHaveLength(1);
  });
});

describe('compatibility', () => {
  const input = { ...peftSettings, blocks: { size: 8, fit: 'nearest' as const } };

  it('LyCORIS’s own plan loads where it was made for', () => {
    expect(verdicts({})).toMatchObject({ LyCORIS: 'loads', ComfyUI: 'loads', PEFT: 'no', OneTrainer: 'no' });
    expect(verdict('PEFT', {}).change).toBe('Set side = "input".');
  });
  it('PEFT’s own plan loads in PEFT, and as differences elsewhere', () => {
    const linears = layers.filter((l) => l.kind === 'linear');
    expect(verdicts(input, linears)).toMatchObject({ PEFT: 'loads', OneTrainer: 'loads', LyCORIS: 'loss' });
    expect(verdict('ComfyUI', input, linears).format).toBe('diff');
    expect(verdict('PEFT', input)).toMatchObject({
      verdict: 'loss',
      change: expect.stringContaining('conv') as string,
    });
  });
  it('names blocks that LyCORIS cannot reload, and those that it can as BOFT: 320 in 4 blocks of 80', () => {
    expect(verdict('LyCORIS', { blocks: { count: 4 } }, [layers[0]!])).toMatchObject({
      verdict: 'loss',
      format: 'lycoris',
      losses: [expect.stringContaining('written as BOFT') as string],
    });
    const found = verdict('LyCORIS', { blocks: { count: 5 } }, [layers[0]!]);
    expect(found).toMatchObject({ verdict: 'loss', format: 'diff' });
    expect(found.losses[0]).toMatch(/larger than they are many/);
    expect(found.change).toMatch(/smaller blocks/);
  });
  it('sends no model to tools that run diffusion only, but diffusion’s', () => {
    const bert = [linear('encoder.layer.0.attention.self.query', 64)];
    expect(verdicts({}, bert)).toEqual({
      LyCORIS: 'loads',
      PEFT: 'no',
      ComfyUI: 'no',
      'A1111 / Forge': 'no',
      'kohya sd-scripts': 'no',
      OneTrainer: 'no',
    });
    const unet = nameModules([linear('unet.mid_block.resnets.0.time_emb_proj', 64, { part: 'unet' })]);
    expect(verdicts({}, unet).ComfyUI).toBe('loads');
    // The folder's name does not make a UNet of it.
    expect(verdicts({}, [linear('x', 64, { part: 'unet' })]).ComfyUI).toBe('no');
  });
  it('names what PEFT cannot mix', () => {
    const rules = [{ match: { name: '*.to_q' }, blocks: { size: 64 } }];
    expect(verdict('PEFT', { ...input, rules })).toMatchObject({ verdict: 'no', format: null });
    expect(verdict('PEFT', { ...input, rescale: true }).losses[0]).toMatch(/no rescale/);
  });
});

it('oneNumberFits knows PEFT’s snapping: the nearest divisor, the lower of two', () => {
  // 7 on 24 lies between 6 and 8 and becomes 6; 7 on 14 stays.
  expect(
    oneNumberFits([
      { width: 24, value: 6 },
      { width: 14, value: 7 },
    ]),
  ).toBe(true);
  expect(
    oneNumberFits([
      { width: 24, value: 8 },
      { width: 14, value: 7 },
    ]),
  ).toBe(true);
  expect(
    oneNumberFits([
      { width: 24, value: 3 },
      { width: 14, value: 7 },
    ]),
  ).toBe(false);
  expect(
    oneNumberFits([
      { width: 8, value: 8 },
      { width: 320, value: 32 },
    ]),
  ).toBe(true);
});

describe('proposeForBudget', () => {
  it('keeps the kind of choice where that is enough', () => {
    const before = plan({ blocks: { dim: 16 } });
    const proposal = proposeForBudget(layers, before, 3000)!;
    expect(proposal.plan.blocks).toMatchObject({ dim: expect.any(Number) as number });
    expect(proposal.stored).toBeLessThanOrEqual(3000);
    expect(planLayers(layers, proposal.plan).planned.reduce((n, p) => n + p.stored, 0)).toBe(proposal.stored);
  });
  it('takes more blocks for a fixed count, whose blocks explode', () => {
    const wide = [linear('wide', 10_240, { in: 1280 })];
    const proposal = proposeForBudget(wide, plan({ blocks: { count: 4 } }), 1_000_000)!;
    expect(proposal.stored).toBeGreaterThan(300_000);
    expect(proposal.stored).toBeLessThanOrEqual(1_000_000);
    expect(proposal.words).toBe('Cut into 128 blocks');
  });
  it('caps the blocks where rules decide them', () => {
    const rules = [{ match: {}, blocks: { count: 4 } }];
    const proposal = proposeForBudget([linear('wide', 10_240)], plan({ rules }), 1_000_000)!;
    expect(proposal.words).toBe('Cap blocks at 96 × 96');
    expect(proposal.plan.rules[0]!.blocks).toEqual({ count: 4, maxSize: 96 });
  });
  it('is null where the plan meets it, or nothing can', () => {
    expect(proposeForBudget(layers, plan(), 1e9)).toBeNull();
    expect(proposeForBudget(layers, plan(), 1)).toBeNull();
  });
});
