/** @file Resize along one axis as a constant matrix: output = M·input. Coordinates and filters as in the ONNX specification of Resize-19. */

export interface Sampling {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly coordinates: string;
  readonly rounding: string;
  readonly cubicA: number;
  readonly excludeOutside: boolean;
  /** Widens the filter by 1/scale when shrinking. */
  readonly antialias: boolean;
}

const f32 = Math.fround;

/**
 * Position in the input of output `o`, in onnxruntime's float32 steps (rounding to the nearest input depends on them) and with the rounded
 * output length where it takes that. `roi`: in units of the input's length − 1.
 */
function coordinate(
  o: number,
  input: number,
  output: number,
  scale: number,
  kind: string,
  roi: readonly [number, number],
): number {
  const halfPixel = f32(f32((o + 0.5) / f32(scale)) - 0.5);
  switch (kind) {
    case 'asymmetric':
      return f32(o / f32(scale));
    case 'align_corners':
      return output === 1 ? 0 : f32((o * (input - 1)) / (output - 1));
    case 'pytorch_half_pixel':
      return output > 1 ? halfPixel : 0;
    case 'tf_half_pixel_for_nn':
      return f32((o + 0.5) / f32(scale));
    case 'half_pixel_symmetric': {
      // Centres the output when its length was rounded.
      const adjustment = output / (scale * input);
      return f32((input / 2) * (1 - adjustment) + halfPixel);
    }
    case 'tf_crop_and_resize':
      return output > 1
        ? roi[0] * (input - 1) + (o * (roi[1] - roi[0]) * (input - 1)) / (output - 1)
        : 0.5 * (roi[0] + roi[1]) * (input - 1);
    default:
      return halfPixel;
  }
}

function nearest(x: number, rounding: string): number {
  switch (rounding) {
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5);
    default:
      return Math.ceil(x - 0.5);
  }
}

const linear = (d: number): number => Math.max(0, 1 - Math.abs(d));

/** Keys' cubic convolution kernel. */
function cubic(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? a * (((d - 5) * d + 8) * d - 4) : 0;
}

/** Rows by output, columns by input; a row of zeros is extrapolated. */
export function samplingMatrix(
  input: number,
  output: number,
  scale: number,
  s: Sampling,
  roi: readonly [number, number] = [0, 1],
): number[][] {
  return Array.from({ length: output }, (_, o) => {
    const row = new Array<number>(input).fill(0);
    const x = coordinate(o, input, output, scale, s.coordinates, roi);
    const clamp = (i: number): number => Math.min(input - 1, Math.max(0, i));
    if (s.coordinates === 'tf_crop_and_resize' && (x < 0 || x > input - 1)) return row;
    if (s.mode === 'nearest') {
      row[clamp(nearest(x, s.rounding))]! += 1;
      return row;
    }
    const squeeze = s.antialias ? Math.min(1, scale) : 1;
    const radius = (s.mode === 'linear' ? 1 : 2) / squeeze;
    const weight = (d: number): number =>
      s.mode === 'linear' ? linear(d * squeeze) : cubic(d * squeeze, s.cubicA);
    const found: [number, number][] = [];
    for (let i = Math.floor(x - radius); i <= Math.ceil(x + radius); i++) {
      const w = weight(i - x);
      // The edge value stands for what lies outside, unless exclude_outside.
      if (w !== 0 && (clamp(i) === i || !s.excludeOutside)) found.push([clamp(i), w]);
    }
    const total = found.reduce((sum, [, w]) => sum + w, 0);
    for (const [i, w] of found) row[i]! += w / total;
    return row;
  });
}

/** k where the matrix repeats every input k times, in order; undefined for any other. */
export function repeatFactor(matrix: readonly (readonly number[])[]): number | undefined {
  const input = matrix[0]?.length ?? 0;
  const k = matrix.length / input;
  if (!Number.isInteger(k)) return undefined;
  return matrix.every((row, o) => row.every((w, i) => w === Number(i === Math.floor(o / k)))) ? k : undefined;
}
