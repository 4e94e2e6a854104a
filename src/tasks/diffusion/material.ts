/** @file Training pictures as the network sees them, whether pixels or latents. */
import { drawLatent, type Latent } from './posterior.ts';

export type Plane = readonly [channels: number, height: number, width: number];

/** Pictures with their captions, each in one of the shapes. */
export interface Material {
  readonly captions: readonly string[];
  /** Which of the shapes each picture has. */
  readonly buckets: readonly number[];
  readonly shapes: readonly Plane[];
  /** SDXL's time_ids of a picture: its own height and width, the crop's top and left, the height and width that are trained. */
  timeIds(i: number): readonly number[];
  /**
   * x₀ of picture i.
   * @param noise standard normal numbers like x₀, asked for where latents are drawn
   */
  clean(i: number, mirrored: boolean, noise: () => Float32Array): Float32Array;
}

/** A picture's numbers with every row turned round. */
export function mirror(pixels: Float32Array, width: number): Float32Array {
  const out = new Float32Array(pixels.length);
  for (let row = 0; row < pixels.length; row += width)
    for (let x = 0; x < width; x++) out[row + x] = pixels[row + width - 1 - x]!;
  return out;
}

interface Known {
  readonly caption: string;
  readonly bucket: number;
  readonly timeIds: readonly number[];
}

abstract class Listed<T extends Known> implements Material {
  readonly captions: readonly string[];
  readonly buckets: readonly number[];
  constructor(
    protected readonly list: readonly T[],
    readonly shapes: readonly Plane[],
  ) {
    this.captions = list.map(({ caption }) => caption);
    this.buckets = list.map(({ bucket }) => bucket);
  }
  timeIds(i: number): readonly number[] {
    return this.list[i]!.timeIds;
  }
  abstract clean(i: number, mirrored: boolean, noise: () => Float32Array): Float32Array;
}

/** Pixels are what the network sees. */
export class PixelMaterial extends Listed<Known & { readonly pixels: Float32Array }> {
  clean(i: number, mirrored: boolean): Float32Array {
    const { pixels, bucket } = this.list[i]!;
    return mirrored ? mirror(pixels, this.shapes[bucket]![2]) : pixels;
  }
}

/** A VAE's latents of the picture and, where pictures are mirrored, of its mirror image: the one is not the mirror image of the other. */
export interface EncodedPicture extends Known {
  readonly latent: Latent;
  readonly mirrored: Latent | null;
}

export class LatentMaterial extends Listed<EncodedPicture> {
  clean(i: number, mirrored: boolean, noise: () => Float32Array): Float32Array {
    const picture = this.list[i]!;
    return drawLatent(mirrored ? picture.mirrored! : picture.latent, noise);
  }
}
