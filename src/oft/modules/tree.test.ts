/** @file Names of modules: wrappers taken away, families told apart, original names of UNets, all held to real module trees. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layersOf, trees, unets } from '#src/formats/testing/names.ts';
import type { Family } from '../types.ts';
import { moduleOf, nameModules, rootsOf } from './tree.ts';

const models: readonly (readonly [string, readonly string[], Family])[] = [
  ['SD 1.5', Object.keys(unets.sd15), 'unet'],
  ['SDXL', Object.keys(unets.sdxl), 'unet'],
  ['SD 1.5, original', Object.values(unets.sd15), 'ldm'],
  ['SDXL, original', Object.values(unets.sdxl), 'ldm'],
  ['CLIP-L', trees.clip_l, 'clip'],
  ['CLIP-G', trees.clip_g, 'clip'],
  ['T5', trees.t5, 't5'],
  ['FLUX', trees.flux, 'transformer'],
  ['SD3', trees.sd3, 'transformer'],
];

const wrappers = fc.array(
  fc.constantFrom(
    ...[
      'unet',
      'model',
      'module',
      '_orig_mod',
      'text_encoder',
      'transformer',
      'base_model.model',
      '_fsdp_wrapped_module',
    ],
    ...['my_wrapper', 'net', 'pipe.unet', 'model.diffusion_model', 'x1'],
  ),
  { maxLength: 4 },
);

describe('the module of a layer', () => {
  it.each(models)('of %s is found behind any wrappers, and its family', (_, paths, family) => {
    fc.assert(
      fc.property(wrappers, (wrapped) => {
        const root = wrapped.join('.');
        const layers = layersOf(paths.map((path) => (root === '' ? path : `${root}.${path}`)));
        expect(layers.map((l) => [moduleOf(l).path, moduleOf(l).family])).toEqual(
          paths.map((p) => [p, family]),
        );
        expect(rootsOf(layers)).toEqual(root === '' ? [] : [{ root, layers: paths.length }]);
      }),
      { numRuns: 12, seed: 3 },
    );
  });

  it.each(['sd15', 'sdxl'] as const)(
    'of %s has the original name that diffusers’ own converter knows, and back',
    (name) => {
      const pairs = Object.entries(unets[name]);
      expect(layersOf(pairs.map(([own]) => own)).map((l) => moduleOf(l).original)).toEqual(
        pairs.map(([, other]) => other),
      );
      expect(layersOf(pairs.map(([, other]) => other)).map((l) => moduleOf(l).known)).toEqual(
        pairs.map(([own]) => own),
      );
      expect(moduleOf(layersOf(pairs.map(([own]) => own))[0]!).sdxl).toBe(name === 'sdxl' ? true : undefined);
    },
  );

  it('of CLIP’s text encoder is known with text_model, whatever the exporter’s version', () => {
    const four = trees.clip_l.map((path) => `text_model.${path}`);
    expect(layersOf(trees.clip_l).map((l) => moduleOf(l).known)).toEqual(four);
    expect(layersOf(four).map((l) => moduleOf(l).known)).toEqual(four);
    expect(layersOf(trees.clip_g).map((l) => moduleOf(l).known)).toEqual(trees.clip_g);
  });

  it.each([
    [
      'in the middle of names',
      'unet._orig_mod.mid_block._checkpoint_wrapped_module.resnets.0.time_emb_proj',
      'mid_block.resnets.0.time_emb_proj',
    ],
    [
      'a LoRA’s base layers',
      'base_model.model.mid_block.resnets.0.time_emb_proj.base_layer',
      'mid_block.resnets.0.time_emb_proj',
    ],
  ])('is found where wrappers lie %s', (_, path, wanted) => {
    expect(moduleOf(layersOf([path])[0]!).path).toBe(wanted);
  });

  it.each<[string, readonly string[], string]>([
    ['a language model', ['model.layers.0.self_attn.q_proj', 'lm_head'], ''],
    [
      'a language model with tied words',
      ['model.layers.0.self_attn.q_proj', 'model.layers.0.mlp.up_proj'],
      '',
    ],
    ['a wrapped language model', ['model.model.layers.0.self_attn.q_proj', 'model.lm_head'], 'model'],
    ['BERT with a head', ['bert.encoder.layer.0.attention.self.query', 'classifier'], ''],
    [
      'wrapped BERT with a head',
      ['model.bert.encoder.layer.0.attention.self.query', 'model.classifier'],
      'model',
    ],
    ['DistributedDataParallel', ['module.conv1', 'module.layer1.0.conv1'], 'module'],
    ['a model of one’s own', ['net.first', 'net.second'], ''],
    ['BART', ['model.encoder.layers.0.self_attn.q_proj', 'model.decoder.layers.0.self_attn.q_proj'], ''],
    [
      'CLIP whole',
      ['text_model.encoder.layers.0.mlp.fc1', 'vision_model.encoder.layers.0.self_attn.q_proj'],
      '',
    ],
    [
      'an image encoder',
      ['encoder.layers.0.self_attn.q_proj', 'encoder.layers.0.mlp.fc1', 'embeddings.patch_embedding'],
      '',
    ],
    [
      'a decoder of pictures',
      ['decoder.mid_block.resnets.0.conv1', 'decoder.up_blocks.0.resnets.0.conv1'],
      '',
    ],
    ['two UNets in one', ['a.mid_block.resnets.0.time_emb_proj', 'b.mid_block.resnets.0.time_emb_proj'], ''],
  ])('keeps what belongs to %s', (_, paths, root) => {
    const layers = layersOf(paths);
    expect(layers.map((l) => [moduleOf(l).root, moduleOf(l).family])).toEqual(
      paths.map(() => [root, 'other']),
    );
  });

  it('follows what the person says stands before the names', () => {
    const layers = layersOf(['unet.mid_block.resnets.0.time_emb_proj', 'a.b.c']);
    const paths = (root?: string) => nameModules(layers, root).map((l) => moduleOf(l).path);
    expect(paths()).toEqual(['mid_block.resnets.0.time_emb_proj', 'a.b.c']);
    expect(paths('')).toEqual(['unet.mid_block.resnets.0.time_emb_proj', 'a.b.c']);
    expect(paths('a.b')).toEqual(['unet.mid_block.resnets.0.time_emb_proj', 'c']);
  });
});
