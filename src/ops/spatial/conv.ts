/** @file Conv in one, two or three dimensions, with groups, strides, dilations and every padding. */
import { type AttributeInput, intsAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import { Contradiction, type Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { commonType, nodeLabel, requiredInput } from '../entries/common.ts';
import { channelSum, inputGradient, weightGradient } from './convGradients.ts';
import type { GradContext, Operator, ShapeContext } from '../types.ts';
import { groupOf, windows } from './window.ts';

/** Inputs of a convolution of either kind: x, w and the bias, checked to belong together. */
export function convInputs(ctx: ShapeContext): {
  readonly node: Node;
  readonly x: Value;
  readonly w: Value;
  readonly bias: Value | null | undefined;
  readonly group: number;
} {
  const { node } = ctx;
  const [x, w] = [requiredInput(ctx, 0), requiredInput(ctx, 1)];
  checkKernel(node, x, w);
  return { node, x, w, bias: ctx.inputs[2], group: groupOf(node) };
}

/** Checks that x and w have the same number of spatial axes and that kernel_shape, if given, agrees. */
function checkKernel(node: Node, x: Value, w: Value): void {
  const spatial = w.shape.slice(2);
  if (x.shape.length < 3 || x.shape.length !== w.shape.length)
    throw new Contradiction(
      `${nodeLabel(node)}: input of shape [${x.shape.join()}] and weight of shape [${w.shape.join()}] must both be [batch or channels, channels, spatial …].`,
    );
  const stated = intsAttr(node, 'kernel_shape');
  if (stated && stated.join() !== spatial.join())
    throw new Contradiction(
      `${nodeLabel(node)}: kernel_shape is [${stated.join()}], but the weight has [${spatial.join()}].`,
    );
}

function gradient({ g, node, inputs, grads, wants }: GradContext): (Value | null)[] {
  const [x, w] = inputs as [Value, Value];
  const dy = grads[0]!;
  const axes = windows(node, x.shape.slice(2), w.shape.slice(2));
  const group = groupOf(node);
  return [
    wants[0] ? inputGradient(g, dy, w, axes, group) : null,
    wants[1] ? weightGradient(g, x, dy, axes, group) : null,
    wants[2] ? channelSum(g, dy) : null,
  ];
}

/** A Conv of several groups as one Conv per group, joined: over three spatial axes WebGPU's kernel knows no groups. */
export function groupedConv(
  g: Builder,
  [x, w, bias]: readonly [Value, Value, Value | null],
  group: number,
  attributes: Readonly<Record<string, AttributeInput>>,
): Value {
  const parts = (v: Value, axis: number): Value[] =>
    g.split(
      v,
      axis,
      Array.from({ length: group }, () => v.shape[axis]! / group),
    );
  const [xs, ws, biases] = [parts(x, 1), parts(w, 0), bias && parts(bias, 0)];
  const outputs = xs.map((v, i) =>
    g.emit('Conv', biases ? [v, ws[i]!, biases[i]!] : [v, ws[i]!], attributes),
  );
  return g.concat(outputs, 1);
}

export const Conv: Operator = {
  shape: (ctx) => {
    const { node, x, w, bias, group } = convInputs(ctx);
    const [o, c] = w.shape as [number, number];
    if (x.shape[1] !== c * group || o % group !== 0)
      throw new Contradiction(
        `${nodeLabel(node)}: ${x.shape[1]} input channels do not fit the weight [${w.shape.join()}] with group ${group}.`,
      );
    if (bias && bias.shape.join() !== String(o))
      throw new Contradiction(`${nodeLabel(node)}: bias of shape [${bias.shape.join()}] should be [${o}].`);
    const axes = windows(node, x.shape.slice(2), w.shape.slice(2));
    return [
      {
        type: commonType(node, bias ? [x, w, bias] : [x, w]),
        shape: [x.shape[0]!, o, ...axes.map((a) => a.output)],
      },
    ];
  },
  grad: gradient,
  lower: (g, node, inputs) => {
    const [x, w, bias] = inputs as [Value, Value, Value | null | undefined];
    const group = groupOf(node);
    if (x.shape.length < 5 || group === 1) return undefined;
    const { group: _, ...attributes } = node.attributes;
    return [groupedConv(g, [x, w, bias ?? null], group, attributes)];
  },
  webgpu: (node, inputs) => inputs[0]!.shape.length < 5 || groupOf(node) === 1,
};
