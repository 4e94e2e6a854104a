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
  /** Makes x₀ of these pictures ready, where not all of them are held; the next call may let them go. */
  ready?(wanted: readonly Wanted[]): Promise<void>;
}

/** A picture, or its mirror image. */
export interface Wanted {
  readonly image: number;
  readonly mirrored: boolean;
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
  /** null: not held. */
  readonly latent: Latent | null;
  readonly mirrored: Latent | null;
}

const keyOf = ({ image, mirrored }: Wanted): string => `${image} ${mirrored}`;

export class LatentMaterial extends Listed<EncodedPicture> {
  /** What is not held, of the last batch that was asked for and the one before it. */
  #near: readonly ReadonlyMap<string, Latent>[] = [];
  readonly #again: ((wanted: Wanted) => Promise<Latent>) | undefined;

  /** @param again latents that are not held */
  constructor(
    list: readonly EncodedPicture[],
    shapes: readonly Plane[],
    again?: (wanted: Wanted) => Promise<Latent>,
  ) {
    super(list, shapes);
    this.#again = again;
  }

  #held({ image, mirrored }: Wanted): Latent | null {
    const picture = this.list[image]!;
    return mirrored ? picture.mirrored : picture.latent;
  }

  #find(wanted: Wanted): Latent | undefined {
    const key = keyOf(wanted);
    return (
      this.#held(wanted) ?? this.#near.map((some) => some.get(key)).find((latent) => latent !== undefined)
    );
  }

  async ready(wanted: readonly Wanted[]): Promise<void> {
    const made = new Map<string, Latent>();
    for (const one of wanted) {
      if (this.#held(one) || made.has(keyOf(one))) continue;
      const latent = this.#find(one) ?? (await this.#again?.(one));
      if (latent) made.set(keyOf(one), latent);
    }
    if (made.size > 0) this.#near = [made, ...this.#near.slice(0, 1)];
  }

  clean(image: number, mirrored: boolean, noise: () => Float32Array): Float32Array {
    const latent = this.#find({ image, mirrored });
    if (!latent) throw new Error(`The latents of picture ${image} were not made ready.`);
    return drawLatent(latent, noise);
  }
}
