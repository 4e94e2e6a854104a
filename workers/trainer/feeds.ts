/** @file The training batches of a job. */
import { Batches, batchNames } from '#src/tasks/diffusion/batches.ts';
import type { CaptionEmbeddings } from '#src/tasks/diffusion/embeddings.ts';
import type { Setup } from './setup.ts';

/** Batches under the names that the job's training step takes. */
export function jobBatches(setup: Setup, embeddings: CaptionEmbeddings): Batches {
  const { unet, job, model, train } = setup;
  return new Batches({
    ...job.train,
    ...job.data,
    images: train.images,
    embeddings,
    scheduler: model.folder.scheduler,
    width: unet.shape[2],
    timestepType: unet.timestepType,
    names: { ...batchNames, sample: unet.sample, timestep: unet.timestep, embeddings: unet.embeddings },
  });
}
