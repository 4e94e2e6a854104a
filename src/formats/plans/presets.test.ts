import { describe, expect, it } from 'vitest';
import { importLycorisPreset } from './lycorisPreset.ts';
import { parsePlan } from './plan.ts';
import { printPlan } from './printPlan.ts';
import { type PresetName, presetNames, presetPlan } from './presets.ts';
import { clipLayers, golden, selected, unetLayers } from '../testing/models.ts';

interface Answer {
  readonly keys?: Readonly<Record<string, readonly number[]>>;
  readonly error?: string;
}
type Answers = Readonly<Record<'kohya.create_network' | 'create_lycoris', Answer>> & { preset_toml?: string };

const file = golden('oft/unet/presets.json') as Readonly<Record<string, Answers>>;
const answer = (name: string): Answer => file[name]!['kohya.create_network'];
/** Key stems without their prefix, and the shape of their blocks. */
const blocksIn = ({ keys = {} }: Answer): Map<string, readonly number[]> =>
  new Map(
    Object.entries(keys)
      .filter(([key]) => key.endsWith('.oft_blocks'))
      .map(([key, shape]) => [key.slice(0, key.indexOf('.')).replace(/^(lora_unet|lycoris)_/, ''), shape]),
  );
const layers = unetLayers();
const blocksOf = (plan: ReturnType<typeof presetPlan>): Map<string, readonly number[]> =>
  new Map(
    [...selected(layers, { ...plan, blocks: { dim: 8 } })].map(([path, p]) => [
      path.replaceAll('.', '_'),
      [p.count, p.size, p.size],
    ]),
  );
const sorted = (m: ReadonlyMap<string, unknown>): [string, unknown][] =>
  [...m].sort(([a], [b]) => (a < b ? -1 : 1));

describe('presets on the tiny UNet', () => {
  it('starts from a model of 83 layers', () => expect(layers).toHaveLength(83));

  it.each<[PresetName, number]>([
    ['attn-mlp', 50],
    ['unet-transformer-only', 50],
    ['unet-convblock-only', 33],
  ])('%s selects the %i layers that LyCORIS selects, with its blocks', (name, count) => {
    const want = blocksIn(answer(name));
    expect(want.size).toBe(count);
    expect(sorted(blocksOf(presetPlan(name)))).toEqual(sorted(want));
  });

  it('full and unet-only select what LyCORIS 3.3.0 selects; 4.1.3 stops at a duplicated name', () => {
    expect(answer('full').error).toMatch(/duplicated lora name: lora_unet_time_embedding_linear_1/);
    const want = blocksIn(answer('full, as in LyCORIS 3.3.0'));
    expect(want.size).toBe(83);
    expect(sorted(blocksOf(presetPlan('full')))).toEqual(sorted(want));
    expect(sorted(blocksOf(presetPlan('unet-only')))).toEqual(sorted(want));
  });

  it('full-lin is full without kernels larger than 1', () => {
    const linear = layers.filter((l) => l.kernel.every((k) => k === 1) && !/^conv_/.test(l.path));
    expect(linear).toHaveLength(63);
    expect([...selected(layers, presetPlan('full-lin')).keys()]).toEqual(linear.map((l) => l.path));
  });

  it('attn-only selects attention, as documented; 4.1.3 asks for classes that diffusers does not have', () => {
    expect(blocksIn(answer('attn-only')).size).toBe(0);
    const want = blocksIn(answer('attn-only, class renamed to Attention'));
    expect(want.size).toBe(32);
    expect(sorted(blocksOf(presetPlan('attn-only')))).toEqual(sorted(want));
  });

  it.each(['full, as in LyCORIS 3.3.0', 'attn-only, class renamed to Attention'])(
    'reads the preset file of "%s" alike',
    (name) => {
      const { plan } = importLycorisPreset(file[name]!.preset_toml!);
      expect(sorted(blocksOf(plan))).toEqual(sorted(blocksIn(answer(name))));
    },
  );
});

describe('presets on CLIP', () => {
  it.each<[PresetName, number]>([
    ['full', 12],
    ['full-lin', 12],
    ['attn-mlp', 12],
    ['attn-only', 8],
    ['unet-only', 0],
    ['unet-transformer-only', 0],
    ['unet-convblock-only', 0],
  ])('%s adapts %i of 12 layers', (name, count) => {
    for (const prefix of ['', 'text_model.'])
      expect(selected(clipLayers(prefix), presetPlan(name)).size, prefix).toBe(count);
  });
});

it.each(presetNames)('%s is a plan that prints and parses', (name) => {
  expect(parsePlan(printPlan(presetPlan(name)))).toEqual(presetPlan(name));
});
