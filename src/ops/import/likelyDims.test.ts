import { describe, expect, it } from 'vitest';
import type { Dim, Model, Node } from '#src/onnx/model.ts';
import { hintsOf } from '#src/tasks/modelHints.ts';
import { importGraph } from './import.ts';
import { likelyDims } from './likelyDims.ts';
import { graphOf, model, n, ramp, value } from '../testing/models.ts';

const ms = (op: string, inputs: string[], outputs: string[], attrs = {}): Node => ({
  ...n(op, inputs, outputs, attrs),
  domain: 'com.microsoft',
});

/** One attention over a projection of 8 numbers a token; its cache in heads of 4, which no input says. */
function decoder(node: Node, cache: readonly Dim[], declared: readonly Dim[] | null = null): Model {
  const graph = graphOf(
    [n('MatMul', ['x', 'w'], ['q']), n('MatMul', ['x', 'k'], ['kv']), node],
    { w: ramp(8, 8), k: ramp(8, node.op === 'GroupQueryAttention' ? 4 : 8) },
    [
      value('x', 'float32', ['batch', 'sequence', 8]),
      value('lengths', 'int32', ['batch']),
      value('total', 'int32', []),
      value('past.0.key', 'float32', cache),
      value('past.0.value', 'float32', cache),
    ],
    ['y'],
  );
  const outputs = [value('y'), value('present.0.key', 'float32', declared), value('present.0.value')];
  return model({ ...graph, outputs });
}

const present = ['y', 'present.0.key', 'present.0.value'];
const past = ['past.0.key', 'past.0.value'];
const grouped = ms('GroupQueryAttention', ['q', 'kv', 'kv', ...past, 'lengths', 'total'], present, {
  num_heads: 2,
  kv_num_heads: 1,
});
const multi = ms('MultiHeadAttention', ['q', 'kv', 'kv', '', '', '', ...past], present, { num_heads: 2 });

const sizes = (m: Model, hints = {}): Record<string, number> =>
  Object.fromEntries(likelyDims(m, hints).map((d) => [d.name, d.value]));

describe('the cache’s heads and width', () => {
  it.each([
    ['GroupQueryAttention', grouped, 1],
    ['MultiHeadAttention', multi, 2],
  ])('are what %s computes', (_, node, heads) => {
    const named = decoder(node, ['batch', 'kv_heads', 'past_sequence_length', 'kv_cache_dim']);
    const found = sizes(named);
    expect(found).toMatchObject({ past_sequence_length: 0, kv_heads: heads, kv_cache_dim: 4 });
    expect(importGraph(named, found).outputs[1]!.shape).toEqual([1, heads, 32, 4]);
    expect(sizes(decoder(node, ['batch', null, null, null]))).toMatchObject({
      'past.0.key.1': heads,
      'past.0.key.2': 0,
      'past.0.key.3': 4,
      'past.0.value.3': 4,
    });
  });

  it('are what the file declares of the present', () => {
    const cache: Dim[] = ['batch', 2, 'past', 'head_dim'];
    const concat = n('Concat', ['past.0.key', 'kv4'], ['present.0.key'], { axis: 2 });
    expect(sizes(decoder(concat, cache, ['batch', 2, 'total', 4])).head_dim).toBe(4);
  });

  it('are what the files beside the model say, genai_config.json first', () => {
    const m = decoder(grouped, ['batch', 'kv_heads', 'past', 'head_dim']);
    const config = JSON.stringify({ hidden_size: 48, num_attention_heads: 6, num_key_value_heads: 3 });
    const genai = JSON.stringify({
      model: { context_length: 16, decoder: { head_size: 5, num_key_value_heads: 2 } },
    });
    expect(sizes(m, hintsOf({ 'config.json': config }))).toMatchObject({ kv_heads: 3, head_dim: 8 });
    const both = hintsOf({ 'config.json': config, 'genai_config.json': genai });
    expect(sizes(m, both)).toMatchObject({ kv_heads: 2, head_dim: 5 });
    expect(both.positions).toBe(16);
    expect(hintsOf({ 'config.json': '{"text_config": {"head_dim": 7}}' }).headSize).toBe(7);
    expect(hintsOf({ 'config.json': 'no json', 'genai_config.json': '[]' })).toEqual({});
  });
});
