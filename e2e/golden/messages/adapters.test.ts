/** @file Adapter files of other models and tools, damaged and renamed. */
import { depth } from '#src/platform/testing/depth.ts';
import { describe, expect, it } from 'vitest';
import { readAdapter } from '#src/formats/adapters/adapterFiles.ts';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { tensor, type Tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { ramp } from '#src/ops/testing/models.ts';
import { uniform } from '#src/ops/testing/random.ts';
import { fixture } from '../testing/fixtures.ts';
import { refuses } from './drive.ts';

const layers = findLayers(importGraph(decodeModel(Uint8Array.from(fixture('oft/trajectory_mlp.onnx')))));
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** One block over all outputs. */
const nan = (out: number): Tensor => tensor('float32', [1, out, out], Array<number>(out * out).fill(NaN));

describe('adapters', () => {
  it('adapters with bytes changed, keys renamed, shapes of others', () => {
    const layer = layers[0]!;
    const random = uniform(9);
    for (let i = 0; i < depth(60, 200); i++) {
      const shape = [[2, 2, 2], [1, 3], [4], [], [2, 2, 2, 2], [layer.out, 1, 1]][Math.floor(random() * 6)]!;
      const end = ['oft_blocks', 'oft_R.weight', 'alpha', 'rescale', 'diff', 'lora_up.weight', 'weight'][
        Math.floor(random() * 7)
      ]!;
      const stem = [`lycoris_${layer.path}`, layer.path, 'base_model.model.x', 'lora_unet_down_blocks_0'][
        Math.floor(random() * 4)
      ]!;
      const bytes = writeSafetensors(new Map([[`${stem}.${end}`, ramp(...shape)]]));
      if (random() < 0.3) bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
      refuses(
        () => readAdapter(new Map([['adapter.safetensors', bytes]]), layers),
        `${stem}.${end} [${shape.join()}]`,
      );
    }
  });

  it.each<[string, Record<string, Uint8Array>]>([
    ['nothing', {}],
    ['an empty file', { 'a.safetensors': new Uint8Array() }],
    ['no tensors', { 'a.safetensors': writeSafetensors(new Map()) }],
    ['a web page', { 'a.safetensors': text('<!DOCTYPE html><html></html>') }],
    ['a pickle', { 'a.bin': text('\u0080\u0002}') }],
    ['a model', { 'a.onnx': text('x') }],
    ['two files', { 'a.safetensors': text('x'), 'b.safetensors': text('x') }],
    ['a damaged archive', { 'a.zip': text('PK\u0003\u0004 and nothing more') }],
    [
      'a configuration that is none',
      { 'adapter_config.json': text('{'), 'adapter_model.safetensors': text('x') },
    ],
    [
      'a list for a configuration',
      { 'adapter_config.json': text('[]'), 'adapter_model.safetensors': text('x') },
    ],
    [
      'a configuration of LoRA',
      { 'adapter_config.json': text('{"peft_type":"LORA"}'), 'adapter_model.safetensors': text('x') },
    ],
    [
      'numbers that are none',
      {
        'a.safetensors': writeSafetensors(
          new Map([[`lycoris_${layers[0]!.path.replaceAll('.', '_')}.oft_blocks`, nan(layers[0]!.out)]]),
        ),
      },
    ],
  ])('%s', (what, files) => {
    expect(refuses(() => readAdapter(new Map(Object.entries(files)), layers), what)).toBe(true);
  });
});
