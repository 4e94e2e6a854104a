import { describe, expect, it } from 'vitest';
import type { Constant, Dim, DType, Model, Node } from '#src/onnx/model.ts';
import { model as modelOf } from '#src/ops/testing/models.ts';
import { assumeDims, type DimHints } from './assume.ts';

type Input = readonly [name: string, type: DType, shape: readonly Dim[]];

const hollow = (shape: readonly number[]): Constant => ({
  type: 'float32',
  shape,
  data: { kind: 'external', location: 'weights', offset: 0, length: 0 },
});

const model = (
  inputs: readonly Input[],
  weights: Record<string, readonly number[]> = {},
  nodes: readonly Node[] = [],
): Model =>
  modelOf({
    name: 'g',
    inputs: inputs.map(([name, type, shape]) => ({ name, type, shape })),
    outputs: [],
    nodes,
    initializers: new Map(Object.entries(weights).map(([name, shape]) => [name, hollow(shape)])),
  });

const sizes = (m: Model, hints?: DimHints): Record<string, number> =>
  Object.fromEntries(assumeDims(m, hints).map((d) => [d.name, d.value]));

describe('sizes for open dimensions', () => {
  it('are one item, a short text and no past', () => {
    const past: Dim[] = ['batch_size', 4, 'past_sequence_length', 8];
    const m = model([
      ['input_ids', 'int64', ['batch_size', 'sequence_length']],
      ['attention_mask', 'int64', ['batch_size', 'past_sequence_length + sequence_length']],
      ['past_key_values.0.key', 'float32', past],
    ]);
    expect(sizes(m)).toEqual({ batch_size: 1, sequence_length: 32, past_sequence_length: 0 });
    expect(assumeDims(m).find((d) => d.name === 'past_sequence_length')?.uses).toEqual([
      { input: 'attention_mask', axis: 1 },
      { input: 'past_key_values.0.key', axis: 2 },
    ]);
  });

  it('keep to the table of positions, and to what config.json says', () => {
    const ids: Input = ['input_ids', 'int64', ['batch', 'sequence']];
    const short = model([ids], { 'embeddings.position_embedding.weight': [16, 32] });
    expect(assumeDims(short)[1]).toMatchObject({ value: 16, why: 'all 16 positions that it knows' });
    expect(sizes(model([ids], { 'transformer.wpe.weight': [1024, 32] })).sequence).toBe(32);
    expect(sizes(model([ids], { 'post_attention_layernorm.weight': [8, 8] })).sequence).toBe(32);
    expect(sizes(model([ids]), { positions: 8 }).sequence).toBe(8);
  });

  it('go by place where a name says nothing, or there is none', () => {
    const m = model([
      ['pixels', 'float32', ['s0', 3, 's1', 's2']],
      ['x', 'float32', [null, null, null, 3]],
      ['ids', 'int32', ['unk__12', 'unk__13']],
      ['input_values', 'float32', ['a', 'b']],
    ]);
    expect(sizes(m)).toEqual({
      s0: 1,
      s1: 224,
      s2: 224,
      'x.0': 1,
      'x.1': 224,
      'x.2': 224,
      unk__12: 1,
      unk__13: 32,
      a: 1,
      b: 16_000,
    });
  });

  it('of pictures come from config.json or the first convolution', () => {
    const latents: Input = ['sample', 'float32', ['batch', 'channels', 'height', 'width']];
    expect(sizes(model([latents]))).toEqual({ batch: 1, channels: 3, height: 64, width: 64 });
    expect(sizes(model([latents]), { side: 8, channels: 4 })).toMatchObject({ channels: 4, height: 8 });
    const conv: Node = {
      op: 'Conv',
      domain: '',
      name: 'conv_in',
      inputs: ['sample', 'w'],
      outputs: ['y'],
      attributes: { group: { kind: 'int', value: 2 } },
    };
    expect(sizes(model([latents], { w: [8, 3, 3, 3] }, [conv])).channels).toBe(6);
  });
});
