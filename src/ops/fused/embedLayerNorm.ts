/** @file ONNX Runtime's EmbedLayerNormalization: BERT's embeddings, summed and normalised. */
import type { Builder } from '#src/graph/builder.ts';
import { floatAttr } from '#src/graph/attributes.ts';
import type { Value } from '#src/graph/types.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { expanded, needed } from '../entries/expansion.ts';
import { rowsAt } from '../attention/rotary.ts';
import { layerNorm } from './skipNorm.ts';
import type { Operator } from '../types.ts';

/** Outputs: the normalised sum, the number of unmasked tokens per sequence (zeros without a mask), and the sum. */
export const EmbedLayerNormalization: Operator = expanded((g, node, inputs) => {
  const ids = needed(node, inputs, 0, 'token ids');
  const [batch, rows] = ids.shape as [number, number];
  const positions = needed(node, inputs, 3, 'position embedding');
  const at = inputs[8] ?? counting(g, rows);
  let sum = g.add(rowsAt(g, needed(node, inputs, 2, 'word embedding'), ids), rowsAt(g, positions, at));
  if (inputs[1] && inputs[4]) sum = g.add(sum, rowsAt(g, inputs[4], inputs[1]));
  const y = layerNorm(
    g,
    sum,
    needed(node, inputs, 5, 'gamma'),
    needed(node, inputs, 6, 'beta'),
    floatAttr(node, 'epsilon', 1e-12),
  );
  const mask = inputs[7];
  const lengths = (): Value =>
    mask ? g.cast(g.reduceSum(g.cast(mask, 'int32'), [1]), 'int32') : g.expand(g.scalar(0, 'int32'), [batch]);
  return [y, node.outputs[1] ? lengths() : null, sum];
});

/** Positions 0 … rows − 1, as [1, rows]. */
const counting = (g: Builder, rows: number): Value =>
  g.constant(
    tensor(
      'int64',
      [1, rows],
      Array.from({ length: rows }, (_, i) => i),
    ),
  );
