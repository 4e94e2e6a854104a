/** @file Sample pictures and the held-out loss of the UNet as it is now. */
import type { Adapted, Picture, SampleWish, Tell } from '../types.ts';
import { timestepTensor } from './batches.ts';
import type { TrainingImage } from './data.ts';
import type { CaptionEmbeddings } from './embeddings.ts';
import { heldoutLoss } from './metrics.ts';
import { type BoundUnet, bindUnet, encoderWidth, type LoadedModel } from './model.ts';
import { saturation, toPicture } from './pictures.ts';
import { samplePixels } from './preview.ts';

/** The UNet under fixed rotations. */
interface Forward {
  /** Pictures or noisy images per call. */
  readonly batch: number;
  readonly shape: BoundUnet['shape'];
  /** [batch, …] → prediction like the images. */
  predict(
    images: Float32Array,
    timesteps: ArrayLike<number>,
    embeddings: Float32Array,
  ): Promise<Float32Array>;
}

/** Small models draw eight pictures at a time, large ones two: their activations are what fills the memory. */
function forwardBatch(model: LoadedModel, rows: number): number {
  if (rows <= 2) return 2;
  return model.bytes < 2 ** 27 ? 8 : 2;
}

/** @param rows how many pictures are wanted per call; a smaller program serves one or two */
async function forwardOf(model: LoadedModel, adapted: Adapted, rows: number): Promise<Forward> {
  const batch = forwardBatch(model, rows);
  const bound = bindUnet(model, batch, encoderWidth(model));
  const run = await adapted.run(`forward ${batch}`, `${model.hash}:${batch}`, () => bound.graph);
  return {
    batch,
    shape: bound.shape,
    predict: async (images, timesteps, embeddings) => {
      const out = await run({
        [bound.sample]: images,
        [bound.timestep]: timestepTensor(timesteps, bound.timestepType),
        [bound.embeddings]: embeddings,
      });
      return out[bound.output] as Float32Array;
    },
  };
}

export interface Drawn {
  readonly pictures: readonly Picture[];
  /** Mean of (max − min over RGB)/2 of the pixels; null without pictures. */
  readonly saturation: number | null;
}

/** Draws the prompts from noise that only (seed, place in the list) decides. */
export async function draw(
  model: LoadedModel,
  adapted: Adapted,
  embeddings: CaptionEmbeddings,
  wish: SampleWish,
  tell: Tell,
): Promise<Drawn> {
  const { prompts, guidance } = wish;
  if (prompts.length === 0) return { pictures: [], saturation: null };
  // Guidance needs two rows per picture.
  const forward = await forwardOf(model, adapted, prompts.length * (guidance === 1 ? 1 : 2));
  const [channels, height, width] = forward.shape;
  const pixels = await samplePixels({
    ...wish,
    scheduler: model.folder.scheduler,
    embeddings,
    shape: [channels, height, width],
    batch: guidance === 1 ? forward.batch : Math.floor(forward.batch / 2),
    denoise: (latents, timestep, conditions) =>
      forward.predict(latents, new Int32Array(forward.batch).fill(timestep), conditions),
    onStep: tell,
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
export async function judge(
  model: LoadedModel,
  adapted: Adapted,
  embeddings: CaptionEmbeddings,
  images: readonly TrainingImage[],
  tell: Tell,
): Promise<number | null> {
  if (images.length === 0) return null;
  const forward = await forwardOf(model, adapted, 8);
  return heldoutLoss({
    images,
    scheduler: model.folder.scheduler,
    embeddings,
    batch: forward.batch,
    predict: forward.predict,
    onProgress: tell,
  });
}
