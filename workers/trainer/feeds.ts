/** @file What a job's training step is fed with: everything follows from the seed and the step. */
import { drawDropout, hasDropout, keepFeed } from '#src/oft/dropout.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { Batches, batchNames } from '#src/tasks/diffusion/batches.ts';
import type { CaptionEmbeddings } from '#src/tasks/diffusion/embeddings.ts';
import { random } from '#src/tasks/random.ts';
import type { Setup } from './setup.ts';

/** All feeds of micro-step `micro` of step `step` (0-based) at a learning rate. */
export function jobFeeds(
  setup: Setup,
  embeddings: CaptionEmbeddings,
): (step: number, micro: number, rate: number) => Record<string, TypedArray> {
  const { unet, job, model, layout } = setup;
  const { accumulate, seed, betas } = job.train;
  const batches = new Batches({
    ...job.train,
    ...job.data,
    images: setup.train.images,
    embeddings,
    scheduler: model.folder.scheduler,
    width: unet.shape[2],
    timestepType: unet.timestepType,
    names: { ...batchNames, sample: unet.sample, timestep: unet.timestep, embeddings: unet.embeddings },
  });
  const dropping = hasDropout(layout);
  return (step, micro, rate) => {
    const feeds = {
      ...batches.batch(step, micro),
      schedule: scheduleTensor(rate, betas, step + 1, micro === accumulate - 1),
    };
    if (!dropping) return feeds;
    const numbers = random(seed, 'dropout', step * accumulate + micro);
    return { ...feeds, [keepFeed]: drawDropout(layout, () => numbers.uniform(1)[0]!) };
  };
}
