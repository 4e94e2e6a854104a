/** @file Training batches: the numbers of a step follow from the seed and the step alone. */
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

  #turn(step: number, micro: number): number {
    return step * this.#options.accumulate + micro;
  }

  /** Which of the material's shapes a micro-batch has. */
  bucket(step: number, micro = 0): number {
    return this.#order.bucket(this.#turn(step, micro));
  }

  /** What a micro-batch is made of, but for its noise. Timesteps are uniform over all of the scheduler's. */
  draws(step: number, micro = 0): Draw[] {
    const { batch, seed, captionDropout, flip, scheduler } = this.#options;
    const turn = this.#turn(step, micro);
    const timesteps = random(seed, 'timestep', turn).integers(batch, scheduler.length);
    const drops = random(seed, 'caption dropout', turn).uniform(batch);
    const flips = random(seed, 'flip', turn).uniform(batch);
    return this.#order.images(turn, batch).map((image, i) => ({
      image,
      timestep: timesteps[i]!,
      dropped: drops[i]! < captionDropout,
      flipped: flip && flips[i]! < 0.5,
    }));
  }

  /** Makes ready what `batch` of the same micro-batch will read, where not all of it is held. */
  async ready(step: number, micro = 0): Promise<void> {
    const wanted = this.draws(step, micro).map(({ image, flipped }) => ({ image, mirrored: flipped }));
    await this.#options.material.ready?.(wanted);
  }

  /** ε of a micro-batch [B, C, H, W], with the offset of each channel if there is one. */
  #noise(turn: number, plane: number, rows: number): Float32Array {
    const { seed, offsetNoise = 0 } = this.#options;
    const noise = random(seed, 'noise', turn).normal(rows * plane);
    if (offsetNoise === 0) return noise;
    const offsets = random(seed, 'offset noise', turn).normal(rows);
    return noise.map((x, i) => x + offsetNoise * offsets[Math.floor(i / plane)]!);
  }

  /**
   * Feeds of micro-batch `micro` of step `step` (both 0-based): sample [B, C, H, W] noised, timestep [B], the conditions' tensors,
   * time_ids [B, 6] where the network asks, target like sample, and weight [B] if min-SNR is on.
   */
  batch(step: number, micro = 0): Tensors {
    const { material, conditions, scheduler, batch, seed, minSnr, timestepType } = this.#options;
    const draws = this.draws(step, micro);
    const turn = this.#turn(step, micro);
    const [channels, height, width] = material.shapes[this.#order.bucket(turn)]!;
    const each = channels * height * width;
    const noise = this.#noise(turn, height * width, batch * channels);
    let posterior: Float32Array | undefined;
    const sample = new Float32Array(batch * each);
    const target = new Float32Array(batch * each);
    draws.forEach((draw, i) => {
      const x0 = material.clean(draw.image, draw.flipped, () => {
        posterior ??= random(seed, 'posterior', turn).normal(batch * each);
        return posterior.subarray(i * each, (i + 1) * each);
      });
      const own = noise.subarray(i * each, (i + 1) * each);
      scheduler.addNoise(x0, own, draw.timestep, sample, i * each);
      scheduler.target(x0, own, draw.timestep, target, i * each);
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
