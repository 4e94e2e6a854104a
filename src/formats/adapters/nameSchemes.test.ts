/** @file Adapters under the names of many tools, as those tools write them, find the layers of real models. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeWeight } from '#src/oft/insertion/mergeWeight.ts';
import { withEncoders } from '#src/oft/modules/tree.ts';
import type { Layer } from '#src/oft/types.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { readAdapter } from './adapterFiles.ts';
import { FormatError } from '../errors.ts';
import { readSafetensors, writeSafetensors } from '../files/safetensors.ts';
import { testLayer } from '../testing/adapters.ts';
import { layersOf, trees, unets } from '../testing/names.ts';

const golden = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../e2e/golden/names/${path}`, import.meta.url)));
const read = (bytes: Uint8Array, layers: readonly Layer[]) =>
  readAdapter(new Map([['a.safetensors', bytes]]), layers);
/** An adapter with these stems. */
const file = (stems: readonly string[]): Uint8Array =>
  writeSafetensors(
    new Map(
      stems.flatMap((stem) => [
        [`${stem}.oft_blocks`, tensor('float32', [2, 4, 4], new Float32Array(32).fill(0.01))] as const,
        [`${stem}.alpha`, tensor('float32', [], [0])] as const,
      ]),
    ),
  );

/** A UNet of two levels, as the adapters in `schemes` were made for. */
const tiny = (): Layer[] =>
  [
    ...layersOf(
      [
        ...['conv_in', 'conv_out', 'time_embedding.linear_1', 'time_embedding.linear_2'],
        ...[0, 1].flatMap((i) => [
          `down_blocks.${i}.resnets.0.conv1`,
          `down_blocks.${i}.resnets.0.time_emb_proj`,
        ]),
        'down_blocks.0.downsamplers.0.conv',
        ...[0, 1].flatMap((i) => [`mid_block.resnets.${i}.conv1`, `mid_block.resnets.${i}.time_emb_proj`]),
        ...[0, 1].flatMap((i) => [0, 1].map((j) => `up_blocks.${i}.resnets.${j}.time_emb_proj`)),
        'up_blocks.0.upsamplers.0.conv',
      ],
      'unet',
    ),
  ].map((layer) => ({
    ...layer,
    out: layer.path === 'mid_block.resnets.0.conv1' ? 64 : 32,
  }));

describe('a file under the names of', () => {
  it.each([
    'sgm-lora_unet',
    'comfyui-diffusion_model-sgm',
    'base_model.model.unet',
    'module-lycoris',
    'upper',
    'lycoris_unet',
  ])('%s is read', (name) => {
    const found = read(golden(`schemes/${name}.safetensors`), tiny());
    expect(found.layers.map((l) => l.layer.layer.path)).toEqual([
      'mid_block.resnets.0.conv1',
      'up_blocks.1.resnets.0.time_emb_proj',
    ]);
    expect(found.unexpected).toEqual([]);
  });

  it.each([
    ['kohya', 0],
    ['kohya-with-unet', 2],
    ['flattened', 0],
  ])('%s finds the text encoder of either version of transformers', (name, others) => {
    for (const paths of [trees.clip_l, trees.clip_l.map((path) => `text_model.${path}`)])
      for (const part of ['text_encoder', undefined]) {
        const layers = layersOf(paths, part).map((layer) => ({ ...layer, out: 96 }));
        const found = read(golden(`clip/${name}.safetensors`), layers);
        expect(found.layers.map((l) => l.layer.layer.path)).toEqual(
          paths.filter((p) => p.endsWith('q_proj')),
        );
        expect(found.unexpected).toHaveLength(others);
      }
  });

  it('original Stable Diffusion finds every layer of SD 1.5 and SDXL, and the other way round', () => {
    for (const pairs of [Object.entries(unets.sd15), Object.entries(unets.sdxl)])
      for (const [prefix, dots] of [
        ['lora_unet_', false],
        ['oft_unet_', false],
        ['diffusion_model.', true],
      ] as const)
        for (const own of [0, 1] as const) {
          const stem = (path: string): string => prefix + (dots ? path : path.replaceAll('.', '_'));
          const found = read(
            file(pairs.map((pair) => stem(pair[1 - own]!))),
            layersOf(
              pairs.map((p) => p[own]),
              'unet',
            ),
          );
          expect([found.layers.length, found.unexpected, found.missing]).toEqual([pairs.length, [], []]);
        }
  });

  it('SDXL keeps its two text encoders apart, though all names are in both', () => {
    const layers = withEncoders(
      [...layersOf(trees.clip_l, 'text_encoder'), ...layersOf(trees.clip_g, 'text_encoder_2')],
      2,
    );
    const name = 'text_model_encoder_layers_0_mlp_fc1';
    const first = read(file([`lora_te1_${name}`]), layers);
    const second = read(file([`lora_te2_${name}`]), layers);
    expect([first, second].map((f) => f.layers.map((l) => l.layer.layer.part))).toEqual([
      ['text_encoder'],
      ['text_encoder_2'],
    ]);
  });

  it('any prefix that nobody knows is read, too', () => {
    const paths = Object.keys(unets.sd15);
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9]{0,8}(?:[._][a-zA-Z0-9]{1,8}){0,3}$/),
        fc.constantFrom('.', '_'),
        fc.subarray(paths, { minLength: 1, maxLength: 6 }),
        (prefix, joint, some) => {
          const stems = some.map(
            (path) => prefix + joint + (joint === '.' ? path : path.replaceAll('.', '_')),
          );
          const found = read(file(stems), layersOf(paths, 'unet'));
          expect(new Set(found.layers.map((l) => l.layer.layer.path))).toEqual(new Set(some));
        },
      ),
      { numRuns: 8, seed: 2 },
    );
  });
});

describe('kohya’s parts of merged projections', () => {
  const layer = (name: string, out: number): Layer => testLayer(`single_blocks.0.${name}`, 8, out);
  const layers = [layer('linear1', 28), layer('qkv', 36), layer('linear2', 16)];

  it('turn weights as sd-scripts does', () => {
    const found = read(golden('kohya-parts.safetensors'), layers);
    const { tensors } = readSafetensors(golden('kohya-parts-expected.safetensors'));
    const weight = (name: string): Float32Array => tensors.get(name)!.data as Float32Array;
    // Blocks of 2 on 12 rows and then of 8 on 16: nothing smaller than the whole leaves each in one piece. Those of one size stay.
    expect(found.layers.map((l) => [l.layer.count, l.layer.size])).toEqual([
      [1, 28],
      [9, 4],
      [4, 4],
    ]);
    for (const adapter of found.layers) {
      const name = adapter.layer.layer.path.split('.').at(-1)!;
      const merged = mergeWeight(adapter, weight(`${name}.before`));
      const wanted = weight(`${name}.after`);
      expect(Math.max(...merged.map((x, i) => Math.abs(x - wanted[i]!))), name).toBeLessThan(2e-6);
    }
    expect([found.missing, found.unexpected]).toEqual([[], []]);
    expect(found.notes.join()).toMatch(/joined side by side/);
  });

  it('are refused by name where one is missing', () => {
    const { tensors } = readSafetensors(golden('kohya-parts.safetensors'));
    tensors.delete('oft_unet_single_blocks_0_qkv.oft_blocks.1');
    expect(() => read(writeSafetensors(tensors), layers)).toThrow(/qkv\.oft_blocks\.1 is missing/);
  });
});

describe('a file that fits nothing says what it is for', () => {
  const unet = layersOf(Object.keys(unets.sd15), 'unet');
  const text = layersOf(trees.clip_l, 'text_encoder');
  it.each<[string, string[], readonly Layer[], RegExp]>([
    ['text encoders', ['lora_te_text_model_encoder_layers_9_mlp_fc1'], unet, /for text encoders alone/],
    [
      'a UNet',
      ['lora_unet_input_blocks_4_1_proj_in'],
      text,
      /for a Stable Diffusion UNet, and this model is a text encoder/,
    ],
    ['another UNet', ['lora_unet_input_blocks_99_1_proj_in'], unet, /translated, but their blocks differ/],
    ['FLUX', ['lora_unet_double_blocks_0_img_attn_qkv'], layersOf(trees.flux), /merges projections/],
    [
      'a UNet, and the model is anything',
      ['lora_unet_mid_block_x'],
      layersOf(['fc1']),
      /names are not those of/,
    ],
  ])('%s', (_, stems, layers, message) => {
    expect(() => read(file(stems), layers)).toThrow(FormatError);
    expect(() => read(file(stems), layers)).toThrow(message);
  });
});

describe('headers are taken as safetensors 0.8.0 takes them', () => {
  const layers = [testLayer('a', 16, 8), testLayer('b', 8, 4)];
  it.each(['plain', 'meta-null', 'meta-empty', 'padded-spaces', 'unsorted', 'empty-tensor'])(
    '%s is read',
    (name) => {
      expect(read(golden(`headers/${name}.safetensors`), layers).layers).toHaveLength(2);
    },
  );
  it.each([
    'meta-int',
    'meta-nested',
    'padded-zeros',
    'bom',
    'gap',
    'tail',
    'overlap',
    'duplicate-key',
    'float-shape',
    'negative-offset',
  ])('%s is refused', (name) => {
    expect(() => readSafetensors(golden(`headers/${name}.safetensors`))).toThrow(/safetensors/);
  });
  it('floats of 8 bits are called so', () => {
    const header = new TextEncoder().encode(
      '{"lycoris_a.oft_blocks":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}',
    );
    const bytes = new Uint8Array(8 + header.length + 2);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(header, 8);
    expect(() => readSafetensors(bytes)).toThrow(
      /lycoris_a\.oft_blocks is stored in floats of 8 bits \(F8_E4M3\).*BF16/,
    );
  });
});
