/** @file Captions and prompts of a job, embedded once. */
import { CaptionEmbeddings } from '#src/tasks/diffusion/embeddings.ts';
import { type Bench, ENCODER_BATCH } from './bench.ts';
import type { LoadedModel } from './model.ts';
import type { Progress, Setup } from './setup.ts';

/** Embeddings through whatever device stands at the time of asking. */
export function captionEmbeddings(model: LoadedModel, bench: () => Bench): CaptionEmbeddings {
  return new CaptionEmbeddings(
    model.folder.tokenizer,
    (ids, batch) => bench().encode(model, ids, batch),
    ENCODER_BATCH,
  );
}

/** Everything that a job's training, samples and held-out loss will ask for, in one go, so that every life of a run embeds alike. */
export function textsOf({ job, train, heldout }: Setup): string[] {
  const images = [...train.images, ...(heldout?.images ?? [])];
  return ['', job.sample.negative, ...job.sample.prompts, ...images.map(({ caption }) => caption)];
}

/** Keeps the embeddings of the last job. */
export class JobEmbeddings {
  readonly #bench: () => Bench;
  #last: { readonly key: string; readonly embeddings: CaptionEmbeddings } | null = null;

  constructor(bench: () => Bench) {
    this.#bench = bench;
  }

  async of(setup: Setup, onProgress?: Progress): Promise<CaptionEmbeddings> {
    const texts = textsOf(setup);
    const key = JSON.stringify([
      setup.model.hash,
      this.#bench().runtime.backend.kind,
      [...new Set(texts)].sort(),
    ]);
    if (this.#last?.key === key) return this.#last.embeddings;
    const embeddings = captionEmbeddings(setup.model, this.#bench);
    await embeddings.add(texts, onProgress);
    this.#last = { key, embeddings };
    return embeddings;
  }
}
