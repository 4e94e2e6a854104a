/** @file Normalisation over trailing axes: LayerNormalization and RMSNormalization. */
import type { Builder } from '#src/graph/builder.ts';
import { float, floatAttr, intAttr } from '#src/graph/attributes.ts';
import { Contradiction, GraphError, type Value, type ValueType } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import {
  axisIndex,
  broadcastShapes,
  isFilledWith,
  nodeLabel,
  requiredInput,
  scalarLike,
} from '../entries/common.ts';
import type { GradContext, Operator, ShapeContext } from '../types.ts';

const defaultEpsilon = 1e-5;

/** The axes that a node normalises: `axis` and all after it. */
function trailingAxes(node: Node, rank: number): number[] {
  const first = axisIndex(node, intAttr(node, 'axis', -1), rank);
  return Array.from({ length: rank - first }, (_, i) => first + i);
}

const shape = (ctx: ShapeContext): readonly ValueType[] => {
  const x = requiredInput(ctx, 0);
  const axes = trailingAxes(ctx.node, x.shape.length);
  for (const i of [1, 2]) {
    const v = ctx.inputs[i];
    if (v && broadcastShapes(ctx.node, [x.shape, v.shape]).join() !== x.shape.join())
      throw new Contradiction(
        `${nodeLabel(ctx.node)}: the scale or bias of shape [${v.shape.join()}] does not fit [${x.shape.join()}].`,
      );
  }
  // The statistics come in the stash type, which is float32 unless the attribute says otherwise.
  const type = intAttr(ctx.node, 'stash_type', 1) === 1 ? 'float32' : x.type;
  const statistics = { type, shape: x.shape.map((d, i) => (axes.includes(i) ? 1 : d)) } as const;
  return [{ type: x.type, shape: x.shape }, statistics, statistics];
};

interface Normal {
  /** The normalised input before scale and bias. */
  readonly xhat: Value;
  /** Divides by the deviation: a value of x's size times 1/σ. */
  readonly scaled: (v: Value) => Value;
}

/**
 * x̂ and 1/σ again. In float32 the forward pass's own node gives mean and 1/σ. The RMS form is written out: WebGPU's
 * kernel leaves its second output, 1/σ, unwritten.
 */
function normalise(g: Builder, op: string, node: Node, x: Value, axes: readonly number[]): Normal {
  const epsilon = floatAttr(node, 'epsilon', defaultEpsilon);
  const simplified = op === 'SimplifiedLayerNormalization';
  if (x.type === 'float32' && !simplified) {
    const [, mean, inverse] = g.extend(node, 3);
    return { xhat: g.mul(g.sub(x, mean!), inverse!), scaled: (v) => g.mul(v, inverse!) };
  }
  const centred = simplified ? x : g.sub(x, g.reduceMean(x, axes, true));
  const variance = g.reduceMean(g.mul(centred, centred), axes, true);
  const deviation = g.sqrt(g.add(variance, scalarLike(g, epsilon, x)));
  return { xhat: g.div(centred, deviation), scaled: (v) => g.div(v, deviation) };
}

/**
 * With a = dy·scale: dx = (a − mean a − x̂ mean(a x̂))/σ; the RMS form has no mean a.
 * Scale and bias get dy·x̂ and dy, which the driver sums down.
 */
const grad =
  (op: 'LayerNormalization' | 'SimplifiedLayerNormalization') =>
  ({ g, node, inputs, grads, wants }: GradContext): readonly (Value | null)[] => {
    const x = inputs[0]!;
    const scale = inputs[1]!;
    const dy = grads[0];
    if (!dy || grads.slice(1).some((d) => d !== null))
      throw new GraphError(
        `${nodeLabel(node)}: no gradient passes through its mean and deviation outputs. Export the model without them.`,
      );
    if (!wants[0] && !wants[1]) return [null, null, dy];
    const axes = trailingAxes(node, x.shape.length);
    const { xhat, scaled } = normalise(g, op, node, x, axes);
    const dx = (): Value => {
      const a = isFilledWith(g, scale, 1) ? dy : g.mul(dy, scale);
      const along = g.sub(a, g.mul(xhat, g.reduceMean(g.mul(a, xhat), axes, true)));
      return scaled(
        op === 'SimplifiedLayerNormalization' ? along : g.sub(along, g.reduceMean(a, axes, true)),
      );
    };
    return [wants[0] ? dx() : null, wants[1] ? g.mul(dy, xhat) : null, wants[2] ? dy : null];
  };

export const LayerNormalization: Operator = { shape, grad: grad('LayerNormalization') };

/** ONNX Runtime's RMS norm: it takes the standard domain though ONNX does not define it. Outputs y and 1/rms. */
export const SimplifiedLayerNormalization: Operator = {
  shape,
  grad: grad('SimplifiedLayerNormalization'),
};

/** Opset 23's operator, as the one that every backend has a kernel for. */
export const RMSNormalization: Operator = {
  shape: (ctx) => shape(ctx).slice(0, 1),
  convert: (node) => ({
    ...node,
    op: 'SimplifiedLayerNormalization',
    attributes: { stash_type: { kind: 'int', value: 1 }, ...node.attributes },
  }),
  lower: (g, node, inputs) => [
    g.emit('SimplifiedLayerNormalization', inputs, {
      axis: intAttr(node, 'axis', -1),
      epsilon: float(floatAttr(node, 'epsilon', defaultEpsilon)),
      stash_type: 1,
    }),
  ],
  grad: grad('SimplifiedLayerNormalization'),
  webgpu: () => false,
};
