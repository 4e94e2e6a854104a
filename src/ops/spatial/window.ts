/** @file Geometry of sliding windows: kernel, stride, dilation and padding of Conv, ConvTranspose and the pools, per spatial axis. */
import { intAttr, intsAttr, stringAttr } from '#src/graph/attributes.ts';
import { Contradiction, GraphError, type Shape } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { nodeLabel } from '../entries/common.ts';

/** One spatial axis: output o sees the inputs o·stride + t·dilation − begin, t = 0 … kernel − 1. */
export interface Axis {
  /** Length of the side that is slid over (a Conv's input, a ConvTranspose's output). */
  readonly input: number;
  /** Number of window positions (a Conv's output, a ConvTranspose's input). */
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly begin: number;
  readonly end: number;
}

/** Inputs that one window spans. */
export const span = (a: Pick<Axis, 'kernel' | 'dilation'>): number => (a.kernel - 1) * a.dilation + 1;

interface Parameters {
  readonly kernel: Shape;
  readonly strides: Shape;
  readonly dilations: Shape;
  /** Explicit pads (begins, then ends), or how they follow from the sizes. */
  readonly pads: Shape | 'SAME_UPPER' | 'SAME_LOWER';
}

function parameters(node: Node, kernel: Shape): Parameters {
  const rank = kernel.length;
  const list = (key: string, fallback: number, length = rank): Shape => {
    const values = intsAttr(node, key) ?? Array.from({ length }, () => fallback);
    if (values.length !== length)
      throw new Contradiction(
        `${nodeLabel(node)}: attribute ${key} has ${values.length} entries; ${length} are needed for ${rank} spatial axes.`,
      );
    return values;
  };
  const mode = stringAttr(node, 'auto_pad', 'NOTSET');
  return {
    kernel,
    strides: list('strides', 1),
    dilations: list('dilations', 1),
    pads:
      mode === 'SAME_UPPER' || mode === 'SAME_LOWER'
        ? mode
        : mode === 'VALID'
          ? Array.from({ length: 2 * rank }, () => 0)
          : list('pads', 0, 2 * rank),
  };
}

/** Padding `total` shared out over both ends; the odd one goes to the end (UPPER) or to the beginning (LOWER). */
function share(total: number, mode: 'SAME_UPPER' | 'SAME_LOWER'): [number, number] {
  const small = Math.floor(total / 2);
  return mode === 'SAME_UPPER' ? [small, total - small] : [total - small, small];
}

/**
 * Windows of a Conv or a pool over `input` (the spatial axes alone).
 *
 * With `ceil` a last window that is only partly inside counts too, unless it would start in the end padding.
 */
export function windows(node: Node, input: Shape, kernel: Shape, ceil = false): Axis[] {
  const p = parameters(node, kernel);
  if (input.length !== kernel.length)
    throw new GraphError(
      `${nodeLabel(node)}: a window of ${kernel.length} axes does not fit ${input.length} spatial axes. The file is damaged; export the model again.`,
    );
  return input.map((length, i) => {
    const [k, stride, dilation] = [p.kernel[i]!, p.strides[i]!, p.dilations[i]!];
    const reach = span({ kernel: k, dilation });
    let begin: number;
    let end: number;
    let output: number;
    if (typeof p.pads === 'string') {
      output = Math.ceil(length / stride);
      [begin, end] = share(Math.max(0, (output - 1) * stride + reach - length), p.pads);
    } else {
      begin = p.pads[i]!;
      end = p.pads[i + input.length]!;
      const steps = (length + begin + end - reach) / stride;
      output = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
      if (ceil && (output - 1) * stride >= length + begin) output -= 1;
    }
    if (!(output >= 1))
      throw new Contradiction(
        `${nodeLabel(node)}: a window of ${reach} does not fit spatial axis ${i} of length ${length} with pads ${begin} and ${end}.`,
      );
    return { input: length, output, kernel: k, stride, dilation, begin, end };
  });
}

/** Windows of a ConvTranspose whose input has the spatial axes `input`; `Axis.input` is the side that it makes. */
export function transposedWindows(node: Node, input: Shape, kernel: Shape): Axis[] {
  const p = parameters(node, kernel);
  const wanted = intsAttr(node, 'output_shape');
  const extra = intsAttr(node, 'output_padding');
  return input.map((positions, i) => {
    const [k, stride, dilation] = [p.kernel[i]!, p.strides[i]!, p.dilations[i]!];
    const full = (positions - 1) * stride + span({ kernel: k, dilation }) + (extra?.[i] ?? 0);
    let begin: number;
    let end: number;
    let length: number;
    if (wanted || typeof p.pads === 'string') {
      length = wanted?.at(i - input.length) ?? positions * stride;
      [begin, end] = share(Math.max(0, full - length), p.pads === 'SAME_UPPER' ? 'SAME_UPPER' : 'SAME_LOWER');
      // A longer output_shape than the windows reach goes on with zeros, as output_padding does.
      length = wanted ? Math.max(length, full - begin - end) : full - begin - end;
    } else {
      begin = p.pads[i]!;
      end = p.pads[i + input.length]!;
      length = full - begin - end;
    }
    if (!(length >= 1))
      throw new Contradiction(`${nodeLabel(node)}: spatial axis ${i} would get the length ${length}.`);
    return { input: length, output: positions, kernel: k, stride, dilation, begin, end };
  });
}

/** The attributes that say these windows, with explicit pads. */
export function windowAttributes(axes: readonly Axis[]): {
  strides: number[];
  dilations: number[];
  pads: number[];
} {
  return {
    strides: axes.map((a) => a.stride),
    dilations: axes.map((a) => a.dilation),
    pads: [...axes.map((a) => a.begin), ...axes.map((a) => a.end)],
  };
}

export const groupOf = (node: Node): number => intAttr(node, 'group', 1);
