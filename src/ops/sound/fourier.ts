/** @file Discrete Fourier transforms (DFT, STFT) as products with a table of cosines and sines: written out. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Shape } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import { type Arguments, contradicts, fail, optionalInts } from '../entries/arguments.ts';
import { axisIndex, requiredInput } from '../entries/common.ts';
import type { Operator } from '../types.ts';

/** Numbers that a table may hold: beyond, a product is the wrong way to transform. */
const largestTable = 2 ** 24;

/**
 * What bin k gets of sample n: e^(∓2πi·kn/length), as [samples, parts of a sample, bins, 2]. A real sample has one part, a complex one two.
 * Angles are reduced before they are multiplied, so that long transforms stay exact.
 */
function table(
  node: Node,
  samples: number,
  length: number,
  parts: number,
  bins: number,
  inverse = false,
): number[] {
  const size = samples * parts * bins * 2;
  if (size > largestTable)
    fail(
      node,
      `a transform of ${length} samples is too long to be trained through. Export the model from its spectrogram on.`,
    );
  const values = new Array<number>(size);
  const scale = inverse ? 1 / length : 1;
  let at = 0;
  for (let n = 0; n < samples; n++)
    for (let part = 0; part < parts; part++)
      for (let k = 0; k < bins; k++) {
        const angle = ((inverse ? 2 : -2) * Math.PI * ((k * n) % length)) / length;
        const [re, im] = [Math.cos(angle) * scale, Math.sin(angle) * scale];
        values[at++] = part === 0 ? re : -im;
        values[at++] = part === 0 ? im : re;
      }
  return values;
}

const binsOf = (length: number, onesided: boolean): number =>
  onesided ? Math.floor(length / 2) + 1 : length;

/** One part for real samples, two for complex ones: the last dimension. */
function partsOf(node: Node, shape: Shape): number {
  const parts = shape.at(-1);
  return shape.length >= 2 && (parts === 1 || parts === 2)
    ? parts
    : contradicts(
        node,
        `needs a signal whose last dimension is 1 (real) or 2 (complex), not one of shape [${shape.join()}].`,
      );
}

interface Transform {
  readonly axis: number;
  readonly parts: number;
  readonly length: number;
  readonly bins: number;
  readonly inverse: boolean;
  readonly shape: Shape;
}

function transformOf(ctx: Arguments): Transform {
  const { node } = ctx;
  const { shape } = ctx.inputs[0]!;
  const parts = partsOf(node, shape);
  const axis = axisIndex(node, optionalInts(ctx, 2, 'axis')?.[0] ?? intAttr(node, 'axis', -2), shape.length);
  if (axis === shape.length - 1) contradicts(node, 'its axis is the one of real and imaginary parts.');
  const length = optionalInts(ctx, 1, 'length')?.[0] ?? shape[axis]!;
  const inverse = intAttr(node, 'inverse', 0) !== 0;
  const onesided = intAttr(node, 'onesided', 0) !== 0;
  if (inverse && onesided)
    fail(node, 'the inverse of half a spectrum is not supported. Export the model with the whole one.');
  const bins = binsOf(length, onesided);
  return {
    axis,
    parts,
    length,
    bins,
    inverse,
    shape: shape.map((d, i) => (i === axis ? bins : i === shape.length - 1 ? 2 : d)),
  };
}

/** Samples beyond the length are left out; missing ones count as 0. */
export const DFT: Operator = {
  shape: (ctx) => [{ type: requiredInput(ctx, 0).type, shape: transformOf(ctx).shape }],
  // The axis became an input with opset 20, and its default the last but one.
  convert: (node, version) =>
    version >= 20 ? node : { ...node, attributes: { axis: { kind: 'int', value: 1 }, ...node.attributes } },
  expand: (g, node, inputs) => {
    const x = inputs[0]!;
    const t = transformOf({ node, inputs, constant: (i) => g.constantValue(inputs[i]) });
    const rank = x.shape.length;
    const samples = Math.min(t.length, x.shape[t.axis]!);
    const read = samples < x.shape[t.axis]! ? g.slice(x, [0], [samples], [t.axis]) : x;
    const others = x.shape.map((_, i) => i).filter((i) => i !== t.axis && i !== rank - 1);
    const order = [...others, t.axis, rank - 1];
    const around = others.map((i) => x.shape[i]!);
    const rows = g.reshape(g.transpose(read, order), [sizeOf(around), samples * t.parts]);
    const m = tensor(
      'float32',
      [samples * t.parts, t.bins * 2],
      table(node, samples, t.length, t.parts, t.bins, t.inverse),
    );
    const y = g.reshape(g.matMul(rows, g.cast(g.constant(m), x.type)), [...around, t.bins, 2]);
    return [
      g.transpose(
        y,
        order.map((_, i) => order.indexOf(i)),
      ),
    ];
  },
};

interface Frames {
  readonly parts: number;
  readonly step: number;
  readonly length: number;
  readonly count: number;
  readonly bins: number;
}

function framesOf(ctx: Arguments): Frames {
  const { node, inputs } = ctx;
  const { shape } = inputs[0]!;
  const parts =
    shape.length === 3 ? partsOf(node, shape) : contradicts(node, 'needs a signal [batch, samples, 1].');
  const step = optionalInts(ctx, 1, 'frame step')?.[0] ?? 0;
  const length = optionalInts(ctx, 3, 'frame length')?.[0] ?? inputs[2]?.shape[0];
  if (length === undefined) contradicts(node, 'has neither a window nor a frame length.');
  if (step < 1 || length < 1 || length > shape[1]!)
    contradicts(node, `frames of ${length} samples every ${step} do not fit a signal of ${shape[1]}.`);
  if (inputs[2] && inputs[2].shape.join() !== String(length))
    contradicts(
      node,
      `a window of shape [${inputs[2].shape.join()}] does not fit frames of ${length} samples.`,
    );
  return {
    parts,
    step,
    length,
    count: Math.floor((shape[1]! - length) / step) + 1,
    bins: binsOf(length, intAttr(node, 'onesided', 1) !== 0),
  };
}

/** Windows of the signal, transformed: a strided Conv whose kernels are the table's columns times the window. */
export const STFT: Operator = {
  shape: (ctx) => {
    const x = requiredInput(ctx, 0);
    const { count, bins } = framesOf(ctx);
    return [{ type: x.type, shape: [x.shape[0]!, count, bins, 2] }];
  },
  expand: (g, node, inputs) => {
    const x = inputs[0]!;
    const f = framesOf({ node, inputs, constant: (i) => g.constantValue(inputs[i]) });
    const m = tensor(
      'float32',
      [f.length, f.parts, f.bins * 2],
      table(node, f.length, f.length, f.parts, f.bins),
    );
    const kernels = g.transpose(g.cast(g.constant(m), x.type), [2, 1, 0]);
    const window = inputs[2] ? g.mul(kernels, g.reshape(inputs[2], [1, 1, f.length])) : kernels;
    const y = g.emit('Conv', [g.transpose(x, [0, 2, 1]), window], { strides: [f.step] });
    return [g.transpose(g.reshape(y, [x.shape[0]!, f.bins, 2, f.count]), [0, 3, 1, 2])];
  },
};
