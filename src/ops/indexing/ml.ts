/** @file Operators of the domain ai.onnx.ml that stand before a network. */
import { Contradiction, type Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import { nodeLabel, requiredInput } from '../entries/common.ts';
import { refused } from '../entries/expansion.ts';
import type { OperatorTable } from '../types.ts';

/** One number for all features, or one for each. */
function perFeature(node: Node, key: string, fallback: number, features: number): readonly number[] {
  const a = node.attributes[key];
  const values = a?.kind === 'floats' ? a.value : [fallback];
  if (values.length !== 1 && values.length !== features)
    throw new Contradiction(
      `${nodeLabel(node)}: attribute ${key} has ${values.length} numbers for ${features} features.`,
    );
  return values;
}

export const ml: OperatorTable = {
  /** (x − offset)·scale, in float32 whatever x is. */
  'ai.onnx.ml::Scaler': {
    shape: (ctx) => {
      const x = requiredInput(ctx, 0);
      for (const key of ['offset', 'scale']) perFeature(ctx.node, key, 0, x.shape.at(-1) ?? 1);
      return [{ type: 'float32', shape: x.shape }];
    },
    expand: (g, node, [x]) => {
      const row = (key: string, fallback: number): Value => {
        const values = perFeature(node, key, fallback, x!.shape.at(-1) ?? 1);
        return g.constant(tensor('float32', values.length === 1 ? [] : [values.length], values));
      };
      return [g.mul(g.sub(g.cast(x!, 'float32'), row('offset', 0)), row('scale', 1))];
    },
  },
  /** Elements of the last axis by index; a vector counts as one row. scikit-learn's classifiers look their labels up so. */
  'ai.onnx.ml::ArrayFeatureExtractor': {
    shape: (ctx) => {
      const x = requiredInput(ctx, 0);
      const count = sizeOf(requiredInput(ctx, 1).shape);
      return [{ type: x.type, shape: x.shape.length === 1 ? [1, count] : [...x.shape.slice(0, -1), count] }];
    },
    expand: (g, _node, [x, indices]) => {
      const rows = x!.shape.length === 1 ? g.reshape(x!, [1, x!.shape[0]!]) : x!;
      const places = g.reshape(indices!, [sizeOf(indices!.shape)]);
      return [g.emit('Gather', [rows, places], { axis: rows.shape.length - 1 })];
    },
  },
  'ai.onnx.ml::ZipMap': refused(
    'gives a list of dictionaries, not numbers. Convert the model again with options={"zipmap": False}.',
  ),
};
