/** @file Sample pictures of prompts, the same from the same seed. */
import { random } from '#src/tasks/random.ts';
import type { Conditions } from './conditions.ts';
import { type Denoise, sample, type SamplerName } from './sample.ts';
import type { Scheduler } from './scheduler.ts';

export interface PreviewOptions {
  readonly prompts: readonly string[];
  /** Which place in a list each prompt is drawn as; absent: its own. */
  readonly places?: readonly number[] | undefined;
  readonly negative: string;
  readonly steps: number;
  /** 1: no guidance. */
  readonly guidance: number;
  readonly seed: number;
  readonly scheduler: Scheduler;
  readonly sampler?: SamplerName;
  readonly conditions: Conditions;
  /** Sees `batch` pictures at a time, 2·batch under guidance. */
  readonly denoise: Denoise;
  readonly batch: number;
  /** [channels, height, width]. */
  readonly shape: readonly [number, number, number];
  readonly onStep?: (done: number, total: number) => void | Promise<void>;
}

/**
 * Pixels [prompts, C, H, W] for the prompts, not clipped. Picture i starts from noise that only (seed, its place) decides, so neither the batch nor
 * the other prompts change it. A last batch that is not full is filled up with its last prompt.
 */
export async function samplePixels(options: PreviewOptions): Promise<Float32Array> {
  const { prompts, places, negative, batch, shape, conditions, guidance, seed, steps } = options;
  await conditions.add(guidance === 1 ? prompts : [...prompts, negative]);
  const each = shape[0] * shape[1] * shape[2];
  const out = new Float32Array(prompts.length * each);
  const rounds = Math.ceil(prompts.length / batch);
  for (let round = 0; round < rounds; round++) {
    const start = round * batch;
    const rows = Array.from({ length: batch }, (_, i) => Math.min(start + i, prompts.length - 1));
    const noise = new Float32Array(batch * each);
    rows.forEach((row, i) => noise.set(random(seed, 'preview', places?.[row] ?? row).normal(each), i * each));
    const pixels = await sample({
      denoise: options.denoise,
      scheduler: options.scheduler,
      ...(options.sampler && { sampler: options.sampler }),
      steps,
      guidance,
      noise,
      conditions: conditions.stack(rows.map((row) => prompts[row]!)),
      ...(guidance !== 1 && {
        negative: conditions.negatives(rows.map(() => negative)),
      }),
      onStep: (done) => options.onStep?.(round * steps + done, rounds * steps),
    });
    out.set(pixels.subarray(0, Math.min(batch, prompts.length - start) * each), start * each);
  }
  return out;
}
