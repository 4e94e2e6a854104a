/** @file What is no adapter, or one of another tool. Damaged ones are the fuzzers' (e2e/fuzz). */
import { describe, expect, it } from 'vitest';
import { readAdapter } from '#src/formats/adapters/adapterFiles.ts';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { tensor, type Tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { fixture } from '../testing/fixtures.ts';
import { refuses } from './drive.ts';

const layers = findLayers(importGraph(decodeModel(Uint8Array.from(fixture('oft/trajectory_mlp.onnx')))));
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** One block over all outputs. */
const nan = (out: number): Tensor => tensor('float32', [1, out, out], Array<number>(out * out).fill(NaN));

describe('adapters', () => {
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
