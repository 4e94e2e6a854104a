/** @file Training batches: the numbers of a step follow from the seed and the step alone. */
import type { TypedArray } from '#src/onnx/tensor.ts';
import { random } from '#src/tasks/random.ts';
import type { TrainingImage } from './data.ts';
import type { CaptionEmbeddings } from './embeddings.ts';
import type { Scheduler } from './scheduler.ts';

/** Names and types of what the training program is fed; `weight` only under min-SNR. */
export interface BatchNames {
  readonly sample: string;
  readonly timestep: string;
  readonly embeddings: string;
  readonly target: string;
  /** null: the loss has no weights. */
  readonly weight: string | null;
}

export const batchNames: BatchNames = {
  sample: 'sample',
  timestep: 'timestep',
  embeddings: 'encoder_hidden_states',
  target: 'target',
  weight: 'weight',
};

export type TimestepType = 'int32' | 'int64' | 'float32';

/** Timesteps in the element type that the model's input has. */
export function timestepTensor(values: ArrayLike<number>, type: TimestepType): TypedArray {
  switch (type) {
    case 'int32':
      return Int32Array.from(values);
    case 'float32':
      return Float32Array.from(values);
    case 'int64':
      return BigInt64Array.from(Array.from(values, BigInt));
  }
}

export interface BatchOptions {
  readonly images: readonly TrainingImage[];
  /** Must hold every caption, and '' if captions are dropped. */
  readonly embeddings: CaptionEmbeddings;
  readonly scheduler: Scheduler;
  readonly batch: number;
  /** Micro-batches per step. */
  readonly accumulate: number;
  readonly seed: number;
  /** Share of captions replaced by the empty one. */
  readonly captionDropout: number;
  /** Mirror half of the images. */
  readonly flip: boolean;
  /** Min-SNR γ; 0: off. */
  readonly minSnr: number;
  /** Width of a row of pixels, for mirroring. */
  readonly width: number;
  readonly timestepType: TimestepType;
  readonly names?: BatchNames;
}

export interface Draw {
  /** Index of the image. */
  readonly image: number;
  readonly timestep: number;
  readonly dropped: boolean;
  readonly flipped: boolean;
}

function mirrored(pixels: Float32Array, width: number): Float32Array {
  const out = new Float32Array(pixels.length);
  for (let row = 0; row < pixels.length; row += width)
    for (let x = 0; x < width; x++) out[row + x] = pixels[row + width - 1 - x]!;
  return out;
}

export class Batches {
  readonly #options: BatchOptions;
  readonly #names: BatchNames;
  #order: { readonly epoch: number; readonly permutation: Uint32Array } | undefined;

  constructor(options: BatchOptions) {
    if (options.images.length === 0) throw new RangeError('A batch needs at least one image.');
    this.#options = options;
    this.#names = options.names ?? batchNames;
  }

  /** Place k of the endless sequence of images: a fresh permutation of all of them for each epoch. */
  #imageAt(place: number): number {
    const { images, seed } = this.#options;
    const epoch = Math.floor(place / images.length);
    if (this.#order?.epoch !== epoch)
      this.#order = { epoch, permutation: random(seed, 'order', epoch).permutation(images.length) };
    return this.#order.permutation[place % images.length]!;
  }

  /** What a micro-batch is made of, but for its noise. Timesteps are uniform over all of the scheduler's. */
  draws(step: number, micro = 0): Draw[] {
    const { batch, accumulate, seed, captionDropout, flip, scheduler } = this.#options;
    const turn = step * accumulate + micro;
    const timesteps = random(seed, 'timestep', turn).integers(batch, scheduler.length);
    const drops = random(seed, 'caption dropout', turn).uniform(batch);
    const flips = random(seed, 'flip', turn).uniform(batch);
    return Array.from({ length: batch }, (_, i) => ({
      image: this.#imageAt(turn * batch + i),
      timestep: timesteps[i]!,
      dropped: drops[i]! < captionDropout,
      flipped: flip && flips[i]! < 0.5,
    }));
  }

  /**
   * Feeds of micro-batch `micro` of step `step` (both 0-based): sample [B, C, H, W] noised, timestep [B], encoder_hidden_states
   * [B, tokens, width], target like sample, and weight [B] if min-SNR is on.
   */
  batch(step: number, micro = 0): Record<string, TypedArray> {
    const { images, embeddings, scheduler, batch, accumulate, seed, minSnr, width, timestepType } =
      this.#options;
    const draws = this.draws(step, micro);
    const each = images[0]!.pixels.length;
    const noise = random(seed, 'noise', step * accumulate + micro).normal(batch * each);
    const sample = new Float32Array(batch * each);
    const target = new Float32Array(batch * each);
    draws.forEach((draw, i) => {
      const { pixels } = images[draw.image]!;
      const x0 = draw.flipped ? mirrored(pixels, width) : pixels;
      const own = noise.subarray(i * each, (i + 1) * each);
      scheduler.addNoise(x0, own, draw.timestep, sample, i * each);
      scheduler.target(x0, own, draw.timestep, target, i * each);
    });
    const feeds: Record<string, TypedArray> = {
      [this.#names.sample]: sample,
      [this.#names.timestep]: timestepTensor(
        draws.map((d) => d.timestep),
        timestepType,
      ),
      [this.#names.embeddings]: embeddings.stack(
        draws.map((d) => (d.dropped ? '' : images[d.image]!.caption)),
      ),
      [this.#names.target]: target,
    };
    if (minSnr > 0 && this.#names.weight !== null)
      feeds[this.#names.weight] = Float32Array.from(draws, (d) => scheduler.minSnrWeight(d.timestep, minSnr));
    return feeds;
  }
}
