/** @file ConvTranspose: the adjoint of a Conv with the same weight. */
import type { Builder } from '#src/graph/builder.ts';
import { Contradiction, type Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { commonType, nodeLabel } from '../entries/common.ts';
import { convInputs, groupedConv } from './conv.ts';
import { channelSum, weightGradient } from './convGradients.ts';
import type { GradContext, Operator } from '../types.ts';
import { padAxis } from './unfold.ts';
import { groupOf, span, transposedWindows, windowAttributes } from './window.ts';

/** With y = Fᵀx for the Conv F of the same weight: x̄ = F·ȳ, and W̄ is F's weight gradient with ȳ as input and x as cotangent. */
function gradient({ g, node, inputs, grads, wants }: GradContext): (Value | null)[] {
  const [x, w] = inputs as [Value, Value];
  const dy = grads[0]!;
  const axes = transposedWindows(node, x.shape.slice(2), w.shape.slice(2));
  const group = groupOf(node);
  // Outputs beyond every window (output_padding ≥ stride) depend on nothing: they are cropped, or the Conv would see one window more.
  const reached = axes.map((a) => Math.min(a.input, (a.output - 1) * a.stride + span(a) - a.begin));
  const fitted = axes.map((a, i) => ({
    ...a,
    input: reached[i]!,
    end: Math.max(0, (a.output - 1) * a.stride + span(a) - a.begin - reached[i]!),
  }));
  const cropped = fitted.reduce(
    (v, a, i) => (v.shape[i + 2] === a.input ? v : g.slice(v, [0], [a.input], [i + 2])),
    dy,
  );
  return [
    wants[0]
      ? g.emit('Conv', [cropped, w], { ...windowAttributes(fitted), ...(group === 1 ? {} : { group }) })
      : null,
    wants[1] ? weightGradient(g, cropped, x, fitted, group) : null,
    wants[2] ? channelSum(g, dy) : null,
  ];
}

/**
 * The same for three spatial axes, which WebGPU's kernel refuses: zeros between the inputs, then a Conv of stride 1 with the weight
 * flipped and its channels exchanged within each group.
 */
function lower(g: Builder, node: Node, inputs: readonly (Value | null)[]): readonly Value[] | undefined {
  const [x, w, bias] = inputs as [Value, Value, Value | null | undefined];
  if (x.shape.length < 5) return undefined;
  const axes = transposedWindows(node, x.shape.slice(2), w.shape.slice(2));
  const group = groupOf(node);
  const [cin, cout, ...kernel] = w.shape as [number, number, ...number[]];
  let spread = x;
  axes.forEach((a, i) => {
    if (a.stride === 1) return;
    const axis = i + 2;
    const dims = spread.shape;
    const apart = g.reshape(spread, [...dims.slice(0, axis), a.output, 1, ...dims.slice(axis + 1)]);
    const zeros = padAxis(g, apart, axis + 1, 0, a.stride - 1);
    const joined = g.reshape(zeros, [...dims.slice(0, axis), a.output * a.stride, ...dims.slice(axis + 1)]);
    spread = g.slice(joined, [0], [(a.output - 1) * a.stride + 1], [axis]);
  });
  const flipped = g.slice(
    w,
    kernel.map(() => -1),
    kernel.map(() => -(2 ** 31)),
    kernel.map((_, i) => i + 2),
    kernel.map(() => -1),
  );
  const grouped = g.reshape(flipped, [group, cin / group, cout, ...kernel]);
  const exchanged = g.transpose(grouped, [0, 2, 1, ...kernel.map((_, i) => i + 3)]);
  const weight = g.reshape(exchanged, [group * cout, cin / group, ...kernel]);
  const ends = axes.map((a) => a.input - ((a.output - 1) * a.stride + 1) + a.begin);
  const begins = axes.map((a) => span(a) - 1 - a.begin);
  // Conv takes no negative pads: what lies outside is cropped first, the rest padded.
  axes.forEach((_, i) => {
    const from = Math.max(0, -begins[i]!);
    const to = spread.shape[i + 2]! - Math.max(0, -ends[i]!);
    if (from > 0 || to < spread.shape[i + 2]!) spread = g.slice(spread, [from], [to], [i + 2]);
  });
  return [
    groupedConv(g, [spread, weight, bias ?? null], group, {
      dilations: axes.map((a) => a.dilation),
      pads: [...begins, ...ends].map((p) => Math.max(0, p)),
    }),
  ];
}

export const ConvTranspose: Operator = {
  shape: (ctx) => {
    const { node, x, w, bias, group } = convInputs(ctx);
    const [c, o] = w.shape as [number, number];
    if (x.shape[1] !== c || c % group !== 0)
      throw new Contradiction(
        `${nodeLabel(node)}: ${x.shape[1]} input channels do not fit the weight [${w.shape.join()}] with group ${group}.`,
      );
    const axes = transposedWindows(node, x.shape.slice(2), w.shape.slice(2));
    return [
      {
        type: commonType(node, bias ? [x, w, bias] : [x, w]),
        shape: [x.shape[0]!, o * group, ...axes.map((a) => a.input)],
      },
    ];
  },
  grad: gradient,
  lower,
  webgpu: (_, inputs) => inputs[0]!.shape.length < 5,
};
