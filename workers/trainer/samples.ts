/** @file Pictures and figures of a model under given rotations. */
import { saturation, toPicture } from '#src/tasks/diffusion/pictures.ts';
import type { CaptionEmbeddings } from '#src/tasks/diffusion/embeddings.ts';
import type { TrainingImage } from '#src/tasks/diffusion/data.ts';
import { heldoutLoss } from '#src/tasks/diffusion/metrics.ts';
import { samplePixels } from '#src/tasks/diffusion/preview.ts';
import type { Scheduler } from '#src/tasks/diffusion/scheduler.ts';
import type { Picture } from '../protocol.ts';
import type { Forward } from './bench.ts';

export interface Wanted {
  readonly prompts: readonly string[];
  readonly negative: string;
  readonly steps: number;
  readonly guidance: number;
  readonly seed: number;
}

/** After each network evaluation; throwing from it ends the work. */
export type OnStep = (done: number, total: number) => void;

/** Rows of the forward program that the prompts can fill: guidance needs two per picture. */
export const rowsFor = ({ prompts, guidance }: Wanted): number => prompts.length * (guidance === 1 ? 1 : 2);

export interface Drawn {
  readonly pictures: readonly Picture[];
  /** Mean of (max − min over RGB)/2 of the pixels; null without pictures. */
  readonly saturation: number | null;
}

/** Draws the prompts from noise that only (seed, place in the list) decides. */
export async function draw(
  forward: Forward,
  scheduler: Scheduler,
  embeddings: CaptionEmbeddings,
  wanted: Wanted,
  onStep: OnStep,
): Promise<Drawn> {
  const { prompts, guidance } = wanted;
  if (prompts.length === 0) return { pictures: [], saturation: null };
  const [channels, height, width] = forward.shape;
  const pixels = await samplePixels({
    ...wanted,
    scheduler,
    embeddings,
    shape: [channels, height, width],
    batch: guidance === 1 ? forward.batch : Math.floor(forward.batch / 2),
    denoise: (latents, timestep, conditions) =>
      forward.predict(latents, new Int32Array(forward.batch).fill(timestep), conditions),
    onStep,
  });
  const plane = height * width;
  const each = channels * plane;
  const pictures = prompts.map((_, i) => toPicture(pixels.subarray(i * each, (i + 1) * each), width, height));
  return {
    pictures,
    saturation: saturation(
      pixels.map((x) => Math.min(1, Math.max(-1, x))),
      plane,
    ),
  };
}

/** The held-out loss; null where there are no held-out images. */
export function judge(
  forward: Forward,
  scheduler: Scheduler,
  embeddings: CaptionEmbeddings,
  images: readonly TrainingImage[],
  onStep: OnStep,
): Promise<number | null> {
  if (images.length === 0) return Promise.resolve(null);
  return heldoutLoss({
    images,
    embeddings,
    scheduler,
    batch: forward.batch,
    predict: (noisy, timesteps, conditions) => forward.predict(noisy, timesteps, conditions),
    onProgress: onStep,
  });
}
