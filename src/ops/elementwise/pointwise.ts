/** @file Makers of elementwise entries: the shape rule and the context are shared, an entry states only its formula. */
import type { Builder } from '#src/graph/builder.ts';
import { GraphError, type Value, type ValueType } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { broadcastShapes, commonType, nodeLabel, requiredInput, scalarLike } from '../entries/common.ts';
import { foldElementwise, type Scalar } from '../import/folding.ts';
import type { GradContext, Operator, ShapeContext } from '../types.ts';

/** One output of the first input's type and shape. */
export const sameAsInput = (ctx: ShapeContext): readonly ValueType[] => {
  const { type, shape } = requiredInput(ctx, 0);
  return [{ type, shape }];
};

/** One output, broadcast over all inputs, which share a type. */
export const broadcastInputs = (ctx: ShapeContext): readonly ValueType[] => {
  const inputs = ctx.inputs.map((_, i) => requiredInput(ctx, i));
  if (inputs.length === 0)
    throw new GraphError(
      `${nodeLabel(ctx.node)}: has no inputs. The file is damaged; export the model again.`,
    );
  return [
    {
      type: commonType(ctx.node, inputs),
      shape: broadcastShapes(
        ctx.node,
        inputs.map((v) => v.shape),
      ),
    },
  ];
};

/** Operands of a one-input rule: y = f(x), dy its cotangent. `k` makes a scalar of x's type. */
export interface Unary {
  readonly g: Builder;
  readonly node: Node;
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  k(value: number): Value;
}

/** dx from dy for y = f(x). */
export const unaryGrad =
  (rule: (u: Unary) => Value) =>
  ({ g, node, inputs, outputs, grads }: GradContext): readonly Value[] => {
    const x = inputs[0]!;
    return [rule({ g, node, x, y: outputs[0]!, dy: grads[0]!, k: (v) => scalarLike(g, v, x) })];
  };

type Rest = Partial<Pick<Operator, 'lower' | 'webgpu' | 'convert'>>;

/** An entry for y = f(x). */
export const unary = (grad: ((u: Unary) => Value) | 'none', fold?: Scalar, rest: Rest = {}): Operator => ({
  shape: sameAsInput,
  grad: grad === 'none' ? 'none' : unaryGrad(grad),
  ...(fold && { fold: foldElementwise(() => fold) }),
  ...rest,
});

/** sign(x) as −1, 0, 1 from operators that WebGPU runs; x is float or int32. */
export function signOf(g: Builder, x: Value): Value {
  const zero = scalarLike(g, 0, x);
  return g.sub(g.cast(g.emit('Greater', [x, zero]), x.type), g.cast(g.emit('Less', [x, zero]), x.type));
}
