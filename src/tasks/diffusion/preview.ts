/** @file Sample pictures of prompts, the same from the same seed. */
import { random } from '#src/tasks/random.ts';
import { type Denoise, sample } from './ddim.ts';
import type { CaptionEmbeddings } from './embeddings.ts';
import type { Scheduler } from './scheduler.ts';

export interface PreviewOptions {
  readonly prompts: readonly string[];
  readonly negative: string;
  readonly steps: number;
  /** 1: no guidance. */
  readonly guidance: number;
  readonly seed: number;
  readonly scheduler: Scheduler;
  /** Embeds prompts that it does not know yet. */
  readonly embeddings: CaptionEmbeddings;
  /** Sees `batch` pictures at a time, 2·batch under guidance. */
  readonly denoise: Denoise;
  readonly batch: number;
  /** [channels, height, width]. */
  readonly shape: readonly [number, number, number];
  readonly onStep?: (done: number, total: number) => void | Promise<void>;
}

/**
 * Pixels [prompts, C, H, W] for the prompts, not clipped. Picture i starts from noise that only (seed, i) decides, so neither the batch nor
 * the other prompts change it. A last batch that is not full is filled up with its last prompt.
 */
export async function samplePixels(options: PreviewOptions): Promise<Float32Array> {
  const { prompts, negative, batch, shape, embeddings, guidance, seed, steps } = options;
  await embeddings.add(guidance === 1 ? prompts : [...prompts, negative]);
  const each = shape[0] * shape[1] * shape[2];
  const out = new Float32Array(prompts.length * each);
  const rounds = Math.ceil(prompts.length / batch);
  for (let round = 0; round < rounds; round++) {
    const start = round * batch;
    const rows = Array.from({ length: batch }, (_, i) => Math.min(start + i, prompts.length - 1));
    const noise = new Float32Array(batch * each);
    rows.forEach((row, i) => noise.set(random(seed, 'preview', row).normal(each), i * each));
    const pixels = await sample({
      denoise: options.denoise,
      scheduler: options.scheduler,
      steps,
      guidance,
      noise,
      embeddings: embeddings.stack(rows.map((row) => prompts[row]!)),
      ...(guidance !== 1 && { negative: embeddings.stack(rows.map(() => negative)) }),
      onStep: (done) => options.onStep?.(round * steps + done, rounds * steps),
    });
    out.set(pixels.subarray(0, Math.min(batch, prompts.length - start) * each), start * each);
  }
  return out;
}
