/** @file What the badge says of a tool is what the tool finds in the file: its own module tree against the keys that were written. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compatibility } from '#src/oft/preflight/compatibility.ts';
import type { ToolVerdict } from '#src/oft/modules/types.ts';
import { nameModules, withEncoders } from '#src/oft/modules/tree.ts';
import { blockNumbers, peftSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Layer, Plan } from '#src/oft/types.ts';
import { writeAdapter } from './adapterFiles.ts';
import { defaultPlan } from '../plans/plan.ts';
import { readSafetensors } from '../files/safetensors.ts';
import { testLayer, testWeight } from '../testing/adapters.ts';
import { arbitraryPlan } from '../testing/arbitraryPlan.ts';
import { trees, unets } from '../testing/names.ts';

type Tool = ToolVerdict['tool'];

const flat = (prefix: string, names: readonly string[]): string[] =>
  names.map((name) => `${prefix}_${name.replaceAll('.', '_')}`);
const v4 = (names: readonly string[]): string[] =>
  names.map((name) => (name.startsWith('encoder.') ? `text_model.${name}` : name));

/** sd-scripts replaces layers of these classes alone. */
const blocks = (names: readonly string[]): string[] =>
  names.filter((name) => /\.(?:attentions|resnets|downsamplers|upsamplers)\./.test(name));

interface Case {
  readonly name: string;
  /** In the export, without wrappers. */
  readonly paths: readonly string[];
  readonly part?: string;
  readonly several?: true;
  /** Names that each tool's loader makes from its own modules of this model. */
  readonly sought: Readonly<Record<Tool, readonly string[]>>;
}

const unetCase = (name: 'sd15' | 'sdxl', original: boolean): Case => {
  const own = Object.keys(unets[name]);
  const other = Object.values(unets[name]);
  const paths = original ? other : own;
  const comfy = [...flat('lora_unet', own), ...flat('lycoris', own), ...flat('lora_unet', other)];
  return {
    name: `${name}${original ? ', original names' : ''}`,
    paths,
    sought: {
      LyCORIS: [...flat('lycoris', paths), ...flat('lora_unet', paths)],
      PEFT: paths.map((path) => `base_model.model.${path}`),
      ComfyUI: comfy,
      // Its table of diffusers' names has no embedding of sizes and pooled text.
      'A1111 / Forge': [
        ...flat(
          'lora_unet',
          own.filter((path) => !path.startsWith('add_embedding')),
        ),
        ...flat('lora_unet', other),
      ],
      'kohya sd-scripts': name === 'sdxl' ? flat('lora_unet', other) : flat('lora_unet', blocks(own)),
      OneTrainer: flat('lora_unet', own),
    },
  };
};

const textCase = (name: 'clip_l' | 'clip_g', several?: true): Case => {
  const paths = trees[name];
  const known = v4(paths);
  const inLayers = known.filter((path) => path.includes('.layers.'));
  const prefix = name === 'clip_g' ? 'lora_te2' : several ? 'lora_te1' : 'lora_te';
  return {
    name: `${name}${several ? ' of two' : ''}`,
    paths,
    part: name === 'clip_g' ? 'text_encoder_2' : 'text_encoder',
    ...(several && { several }),
    sought: {
      LyCORIS: flat(prefix, known),
      PEFT: paths.map((path) => `base_model.model.${path}`),
      ComfyUI:
        name === 'clip_g'
          ? [...flat('lora_te2', known)]
          : [...flat('lora_te', inLayers), ...flat('lora_te1', inLayers)],
      'A1111 / Forge': flat(prefix, inLayers),
      'kohya sd-scripts': flat(prefix, inLayers),
      OneTrainer: flat(prefix, known),
    },
  };
};

const cases: readonly Case[] = [
  unetCase('sd15', false),
  unetCase('sd15', true),
  unetCase('sdxl', false),
  unetCase('sdxl', true),
  textCase('clip_l'),
  textCase('clip_l', true),
  textCase('clip_g', true),
];

/** Names of layers in a file, without the parameters at their ends. */
function stems(files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): Set<string> {
  const file = files.find(({ path }) => path.endsWith('.safetensors'))!;
  const keys = [...readSafetensors(file.bytes).tensors.keys()];
  return new Set(keys.map((key) => key.replace(/\.(?:oft_blocks|alpha|rescale|diff|oft_R\.weight)$/, '')));
}

/** Zero rotations are enough: only names are looked at. */
async function written(
  format: NonNullable<ToolVerdict['format']>,
  layers: readonly Layer[],
  plan: Plan,
): Promise<Set<string>> {
  const adapters = planLayers(layers, plan).planned.map((layer) => ({
    layer,
    blocks: new Float32Array(blockNumbers(layer)),
    ...(layer.rescale && { rescale: new Float32Array(layer.layer.out).fill(1) }),
  }));
  return stems((await writeAdapter(format, { layers: adapters, weight: testWeight })).files);
}

const layersIn = ({ paths, part, several }: Case, root: string, chosen: readonly number[]): Layer[] => {
  const named = nameModules(
    [...paths, 'extra.layer'].map((path) => testLayer(root === '' ? path : `${root}.${path}`, 8, 8)),
  );
  const own = named.map((layer) => (part === undefined ? layer : { ...layer, part }));
  const marked = several ? withEncoders(own, 2) : own;
  return chosen.map((i) => marked[i % marked.length]!);
};

const input: Plan = { ...peftSettings, blocks: { size: 4 }, rules: [] };

it('a tool finds as many layers in the file as the badge says, whatever the plan, the format and the wrapper', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      // By its place: failures are to be read.
      fc.nat(cases.length - 1),
      fc.constantFrom('', 'unet', 'model._orig_mod', 'base_model.model', 'w.inner'),
      // −1: the one layer that no tool knows.
      fc.oneof(fc.uniqueArray(fc.nat(400), { minLength: 1, maxLength: 8 }), fc.constant([-1])),
      fc.oneof(fc.constant(defaultPlan), fc.constant(input), arbitraryPlan),
      async (at, root, numbers, plan) => {
        const model = cases[at]!;
        const chosen = [
          ...new Set(numbers.map((n) => (n < 0 ? model.paths.length : n % (model.paths.length + 1)))),
        ];
        const layers = layersIn(model, root, chosen);
        const { planned } = planLayers(layers, plan);
        if (planned.length === 0) return;
        for (const { tool, verdict, format, found, of } of compatibility(planned)) {
          seen.add(`${tool} ${found === 0 ? 'none' : found === of ? 'all' : 'some'}`);
          expect(found > 0, `${tool} ${verdict}`).toBe(verdict !== 'no');
          if (format === null) continue;
          const keys = await written(format, layers, plan);
          const sought = new Set(model.sought[tool]);
          // LyCORIS and PEFT load into whatever model has the layer: here, the export's own with its further layer.
          const extra = [...keys].filter(
            (key) => /extra[._]layer$/.test(key) && (tool === 'LyCORIS' || tool === 'PEFT'),
          );
          const hits = [...keys].filter((key) => sought.has(key) || extra.includes(key));
          expect(hits.length, `${tool} in ${model.name} behind "${root}" as ${format}`).toBe(found);
        }
      },
    ),
    { numRuns: 120, seed: 5 },
  );
  for (const tool of ['ComfyUI', 'A1111 / Forge', 'kohya sd-scripts', 'OneTrainer'])
    for (const amount of ['none', 'some', 'all']) expect(seen).toContain(`${tool} ${amount}`);
});
