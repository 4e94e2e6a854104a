/** @file Writing by index: ScatterND and ScatterElements. */
import { intAttr, stringAttr } from '#src/graph/attributes.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { fail, zeros } from './arguments.ts';
import { axisIndex, commonType, requiredInput } from './common.ts';
import type { GradContext, GradRule, Operator, ShapeContext } from './types.ts';

const reduction = (node: Node): string => stringAttr(node, 'reduction', 'none');

/**
 * y = x, with y[i] set to u, or u added to it. Overwritten elements get no gradient; the updates get the cotangent at their places.
 */
const scatterGrad =
  (
    scatter: (ctx: GradContext, data: Value, updates: Value) => Value,
    gather: (ctx: GradContext, dy: Value) => Value,
  ): GradRule =>
  (ctx) => {
    const { g, node, inputs, wants } = ctx;
    const dy = ctx.grads[0]!;
    const how = reduction(node);
    if (how !== 'none' && how !== 'add')
      fail(node, `reduction "${how}" has no gradient yet; "none" and "add" do.`);
    const dx = how === 'add' ? dy : scatter(ctx, dy, zeros(g, inputs[2]!));
    return [wants[0] ? dx : null, null, wants[2] ? gather(ctx, dy) : null];
  };

const shapeOfData = (ctx: ShapeContext): readonly Value[] => {
  const x = requiredInput(ctx, 0);
  commonType(ctx.node, [x, requiredInput(ctx, 2)]);
  return [x];
};

export const ScatterND: Operator = {
  shape: (ctx) => {
    const [x] = shapeOfData(ctx);
    const at = requiredInput(ctx, 1).shape;
    const updates = requiredInput(ctx, 2).shape;
    const expected = [...at.slice(0, -1), ...x!.shape.slice(at.at(-1))];
    if (updates.join() !== expected.join())
      fail(ctx.node, `updates of shape [${updates.join()}] should have the shape [${expected.join()}].`);
    return [x!];
  },
  grad: scatterGrad(
    ({ g, inputs }, data, updates) => g.emit('ScatterND', [data, inputs[1]!, updates]),
    ({ g, inputs }, dy) => g.emit('GatherND', [dy, inputs[1]!]),
  ),
};

const axisOf = (ctx: Pick<GradContext, 'node' | 'inputs'>): number =>
  axisIndex(ctx.node, intAttr(ctx.node, 'axis', 0), ctx.inputs[0]!.shape.length);

export const ScatterElements: Operator = {
  shape: (ctx) => {
    const [x] = shapeOfData(ctx);
    const at = requiredInput(ctx, 1).shape;
    const updates = requiredInput(ctx, 2).shape;
    axisOf(ctx);
    if (updates.join() !== at.join() || at.length !== x!.shape.length)
      fail(
        ctx.node,
        `indices [${at.join()}] and updates [${updates.join()}] do not fit data of shape [${x!.shape.join()}].`,
      );
    return [x!];
  },
  grad: scatterGrad(
    (ctx, data, updates) =>
      ctx.g.emit('ScatterElements', [data, ctx.inputs[1]!, updates], { axis: axisOf(ctx) }),
    (ctx, dy) => ctx.g.emit('GatherElements', [dy, ctx.inputs[1]!], { axis: axisOf(ctx) }),
  ),
};
