/** @file Random changes to training images: mirror, crop, colour. What happens to place k of the run follows from the seed and k. */
import { random } from '#src/tasks/random.ts';

export interface AugmentOptions {
  readonly seed: number;
  /** Mirror half of the images. */
  readonly flip: boolean;
  /** Least share of the area that a random crop keeps; 1: no crop. */
  readonly crop: number;
  /** Brightness, contrast and saturation vary by up to this share; 0: not at all. */
  readonly colour: number;
}

/** A part of the frame, pixels; need not be whole numbers. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Change {
  readonly flip: boolean;
  /** null: the centre, at the model's size. */
  readonly box: Box | null;
  /** Factors of brightness, contrast and saturation; null: none. */
  readonly colour: readonly [number, number, number] | null;
}

export const unchanged: Change = { flip: false, box: null, colour: null };

/**
 * Draws for one place of the run. The crop is torchvision's RandomResizedCrop: area share uniform in [crop, 1], the logarithm of the
 * aspect uniform in ±ln 4/3, both relative to the frame, cut to it.
 */
export function drawChange(
  { seed, flip, crop, colour }: AugmentOptions,
  frame: { readonly width: number; readonly height: number },
  place: number,
): Change {
  const u = random(seed, 'augment', place).uniform(8);
  let box: Box | null = null;
  if (crop < 1) {
    const share = crop + (1 - crop) * u[1]!;
    const aspect = Math.exp((2 * u[2]! - 1) * Math.log(4 / 3));
    const width = Math.min(1, Math.sqrt(share * aspect)) * frame.width;
    const height = Math.min(1, Math.sqrt(share / aspect)) * frame.height;
    box = { x: u[3]! * (frame.width - width), y: u[4]! * (frame.height - height), width, height };
  }
  const factor = (x: number): number => 1 + colour * (2 * x - 1);
  return {
    flip: flip && u[0]! < 0.5,
    box,
    colour: colour > 0 ? [factor(u[5]!), factor(u[6]!), factor(u[7]!)] : null,
  };
}

/** ITU-R 601 luma, as PIL's mode L has it. */
export const grey = (r: number, g: number, b: number): number => 0.299 * r + 0.587 * g + 0.114 * b;

/** Changes colours of RGB floats in [0, 1] in place: brightness x·f, contrast about the mean grey, saturation about each pixel's grey. */
export function changeColours(
  rgb: Float32Array,
  [brightness, contrast, saturation]: readonly [number, number, number],
): void {
  const cut = (x: number): number => Math.min(1, Math.max(0, x));
  let mean = 0;
  for (let i = 0; i < rgb.length; i += 3) {
    for (let c = 0; c < 3; c++) rgb[i + c] = cut(rgb[i + c]! * brightness);
    mean += grey(rgb[i]!, rgb[i + 1]!, rgb[i + 2]!);
  }
  mean /= rgb.length / 3;
  for (let i = 0; i < rgb.length; i += 3) {
    for (let c = 0; c < 3; c++) rgb[i + c] = cut(mean + (rgb[i + c]! - mean) * contrast);
    const own = grey(rgb[i]!, rgb[i + 1]!, rgb[i + 2]!);
    for (let c = 0; c < 3; c++) rgb[i + c] = cut(own + (rgb[i + c]! - own) * saturation);
  }
}
