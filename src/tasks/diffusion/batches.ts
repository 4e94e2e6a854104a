/**
 * @file Training batches: what happens to an image follows from the seed and its place in the run alone, so that a step is the same however it is cut into
 * micro-batches.
 */
import type { TypedArray } from '#src/onnx/tensor.ts';
import { random } from '#src/tasks/random.ts';
import type { Tensors } from '../types.ts';
import type { Conditions } from './conditions.ts';
import type { Material } from './material.ts';
import { ImageOrder } from './order.ts';
import type { Scheduler } from './scheduler.ts';

/** Names of what the training program is fed beside the conditions. */
export interface BatchNames {
  readonly sample: string;
  readonly timestep: string;
  /** SDXL's sizes and crops; null: the network does not ask. */
  readonly timeIds: string | null;
  readonly target: string;
  /** Fed under min-SNR only. */
  readonly weight: string;
}

export const batchNames: BatchNames = {
  sample: 'sample',
  timestep: 'timestep',
  timeIds: null,
  target: 'target',
  weight: 'weight',
};

export type TimestepType = 'int32' | 'int64' | 'float32';

/** Timesteps in the element type that the model's input has; whole numbers are cut off, as diffusers' casts do. */
export function timestepTensor(values: ArrayLike<number>, type: TimestepType): TypedArray {
  switch (type) {
    case 'int32':
      return Int32Array.from(values);
    case 'float32':
      return Float32Array.from(values);
    case 'int64':
      return BigInt64Array.from(Array.from(values, (t) => BigInt(Math.trunc(t))));
  }
}

export interface BatchOptions {
  readonly material: Material;
  /** Must hold every caption, and '' if captions are dropped. */
  readonly conditions: Conditions;
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
  /** Standard deviation of a further noise, the same all over a channel: it lets a model learn very dark and very bright pictures; 0: off. */
  readonly offsetNoise?: number;
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

export class Batches {
  readonly #options: BatchOptions;
  readonly #names: BatchNames;
  readonly #order: ImageOrder;

  constructor(options: BatchOptions) {
    this.#options = options;
    this.#names = options.names ?? batchNames;
    this.#order = new ImageOrder(options.seed, options.material.buckets);
  }

  /** Place in the run of a micro-batch's first image. */
  #first(step: number, micro: number): number {
    const { batch, accumulate } = this.#options;
    return (step * accumulate + micro) * batch;
  }

  /** Which of the material's shapes a step's micro-batches have. */
  bucket(step: number): number {
    return this.#order.bucket(step);
  }

  /** What a micro-batch is made of, but for its noise. Timesteps are uniform over all of the scheduler's. */
  draws(step: number, micro = 0): Draw[] {
    const { batch, accumulate, seed, captionDropout, flip, scheduler } = this.#options;
    const first = this.#first(step, micro);
    const images = this.#order.images(step, accumulate * batch).slice(micro * batch, (micro + 1) * batch);
    return images.map((image, i) => {
      const uniform = (stream: string): number => random(seed, stream, first + i).uniform(1)[0]!;
      return {
        image,
        timestep: random(seed, 'timestep', first + i).integers(1, scheduler.length)[0]!,
        dropped: uniform('caption dropout') < captionDropout,
        flipped: flip && uniform('flip') < 0.5,
      };
    });
  }

  /** Makes ready what `batch` of the same micro-batch will read, where not all of it is held. */
  async ready(step: number, micro = 0): Promise<void> {
    const wanted = this.draws(step, micro).map(({ image, flipped }) => ({ image, mirrored: flipped }));
    await this.#options.material.ready?.(wanted);
  }

  /** ε at a place of the run [C, H, W], with the offset of each channel if there is one. */
  #noise(place: number, channels: number, plane: number): Float32Array {
    const { seed, offsetNoise = 0 } = this.#options;
    const noise = random(seed, 'noise', place).normal(channels * plane);
    if (offsetNoise === 0) return noise;
    const offsets = random(seed, 'offset noise', place).normal(channels);
    return noise.map((x, i) => x + offsetNoise * offsets[Math.floor(i / plane)]!);
  }

  /**
   * Feeds of micro-batch `micro` of step `step` (both 0-based): sample [B, C, H, W] noised, timestep [B], the conditions' tensors,
   * time_ids [B, 6] where the network asks, target like sample, and weight [B] if min-SNR is on.
   */
  batch(step: number, micro = 0): Tensors {
    const { material, conditions, scheduler, batch, seed, minSnr, timestepType } = this.#options;
    const draws = this.draws(step, micro);
    const first = this.#first(step, micro);
    const [channels, height, width] = material.shapes[this.bucket(step)]!;
    const each = channels * height * width;
    const sample = new Float32Array(batch * each);
    const target = new Float32Array(batch * each);
    draws.forEach((draw, i) => {
      const x0 = material.clean(draw.image, draw.flipped, () =>
        random(seed, 'posterior', first + i).normal(each),
      );
      const noise = this.#noise(first + i, channels, height * width);
      scheduler.addNoise(x0, noise, draw.timestep, sample, i * each);
      scheduler.target(x0, noise, draw.timestep, target, i * each);
    });
    const { timeIds, weight } = this.#names;
    return {
      [this.#names.sample]: sample,
      [this.#names.timestep]: timestepTensor(
        draws.map((d) => d.timestep),
        timestepType,
      ),
      ...conditions.stack(draws.map((d) => (d.dropped ? '' : material.captions[d.image]!))),
      ...(timeIds !== null && {
        [timeIds]: Float32Array.from(draws.flatMap((d) => material.timeIds(d.image))),
      }),
      [this.#names.target]: target,
      ...(minSnr > 0 && {
        [weight]: Float32Array.from(draws, (d) => scheduler.minSnrWeight(d.timestep, minSnr)),
      }),
    };
  }
}
