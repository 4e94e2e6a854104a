/** @file Constants of sound: windows of Hann, Hamming and Blackman, and the mel filter bank. They fold away. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { contradicts, intsOf, typeOfAttribute } from '../entries/arguments.ts';
import type { Operator } from '../types.ts';

const float = 1;

/** A window Σ (−1)ʲ·cⱼ·cos(2πjn/N), N the size, or one less where it is not periodic. */
const window = (...coefficients: readonly number[]): Operator => {
  const values = (node: Node, size: number): Tensor => {
    const period = Math.max(1, intAttr(node, 'periodic', 1) !== 0 ? size : size - 1);
    const at = (n: number): number =>
      coefficients.reduce((sum, c, j) => sum + (-1) ** j * c * Math.cos((2 * Math.PI * j * n) / period), 0);
    return tensor(
      typeOfAttribute(node, intAttr(node, 'output_datatype', float)),
      [size],
      Array.from({ length: size }, (_, n) => at(n)),
    );
  };
  return {
    shape: (ctx) => {
      const { type, shape } = values(ctx.node, intsOf(ctx, 0, 'size')[0]!);
      return [{ type, shape }];
    },
    grad: 'none',
    fold: (node, [size]) => (size ? [values(node, numbersOf(size)[0]!)] : undefined),
    webgpu: () => false,
  };
};

export const HannWindow: Operator = window(0.5, 0.5);
export const HammingWindow: Operator = window(25 / 46, 21 / 46);
export const BlackmanWindow: Operator = window(0.42, 0.5, 0.08);

const melOf = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
const hertzOf = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/** [bins of the spectrum, mel bands]: triangles between neighbouring bands' centres, which are equally far apart in mel. */
function filterBank(node: Node, [bands, length, rate, low, high]: readonly number[]): Tensor {
  const bins = Math.floor(length! / 2) + 1;
  const [from, to] = [melOf(low!), melOf(high!)];
  const edges = Array.from({ length: bands! + 2 }, (_, i) =>
    Math.floor(((length! + 1) * hertzOf(from + (i * (to - from)) / (bands! + 2))) / rate!),
  );
  const values = new Array<number>(bins * bands!).fill(0);
  for (let b = 0; b < bands!; b++) {
    const [left, centre, right] = edges.slice(b, b + 3) as [number, number, number];
    if (left < 0 || right > bins)
      contradicts(node, `its bands reach from ${low} to ${high} Hz, beyond the spectrum.`);
    if (centre === left) values[centre * bands! + b] = 1;
    else for (let k = left; k <= centre; k++) values[k * bands! + b] = (k - left) / (centre - left);
    for (let k = centre; k < right; k++) values[k * bands! + b] = (right - k) / (right - centre);
  }
  return tensor(typeOfAttribute(node, intAttr(node, 'output_datatype', float)), [bins, bands!], values);
}

const bounds = ['bands', 'length', 'rate', 'lower edge', 'upper edge'];

export const MelWeightMatrix: Operator = {
  shape: (ctx) => {
    const numbers = bounds.map((what, i) => intsOf(ctx, i, what)[0]!);
    const { type, shape } = filterBank(ctx.node, numbers);
    return [{ type, shape }];
  },
  grad: 'none',
  fold: (node, inputs) =>
    inputs.every((t) => t)
      ? [
          filterBank(
            node,
            inputs.map((t) => numbersOf(t!)[0]!),
          ),
        ]
      : undefined,
  webgpu: () => false,
};
