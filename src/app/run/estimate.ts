/** @file How long a run will take here: measured on this device if it ever ran, else from a moment of arithmetic. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { BackendReport } from '#src/runtime/types.ts';
import { remembered as kept } from '../page/remembered.ts';

const KEY = 'secondsPerImage';

/** Seconds that one image of one step of the built-in model takes; null where nothing is known. */
function remembered(kind: string): number | null {
  const value = Number(kept(`${KEY}.${kind}`).read());
  return value > 0 ? value : null;
}

/** Keeps what a run of the built-in model measured, for the next visit's estimate. */
export function remember(kind: string, secondsPerStep: number, batch: number): void {
  kept(`${KEY}.${kind}`).write(String(secondsPerStep / batch));
}

/** Multiply-adds per second of a plain loop: the best of a few moments, since other programs and the compiler take their share. */
export function measureLoop(): number {
  const n = 64;
  const a = new Float32Array(n * n).fill(0.5);
  const b = new Float32Array(n * n).fill(0.25);
  const c = new Float32Array(n * n);
  let best = 0;
  for (let moment = 0; moment < 8; moment++) {
    const start = performance.now();
    let rounds = 0;
    do {
      for (let i = 0; i < n; i++)
        for (let k = 0; k < n; k++) {
          const x = a[i * n + k]!;
          for (let j = 0; j < n; j++) c[i * n + j]! += x * b[k * n + j]!;
        }
      rounds++;
    } while (performance.now() - start < 6);
    best = Math.max(best, (rounds * n ** 3) / ((performance.now() - start) / 1000));
  }
  return best;
}

/** One image of one training step of the built-in model, in that loop's multiply-adds: 95 ms on one thread where the loop makes 1.1e9 a second. */
const WORK_PER_IMAGE = 1.05e8;
/** 37 held-out images at 4 noise levels: before, after, and at rows of samples once eight times as many were trained (workers/trainer/run/judging.ts). */
const HELDOUT = 37;
const HELDOUT_FORWARDS = HELDOUT * 4;

/** How often a job's held-out images are judged. */
function judgements({ train, sample, data }: Job): number {
  if (data.heldout === null) return 0;
  if (sample.every === 0) return 2;
  const apart = Math.ceil((8 * HELDOUT) / (train.batch * train.accumulate) / sample.every) * sample.every;
  return 2 + Math.floor((train.steps - 1) / apart);
}
let loopSpeed = 0;

/** Seconds for a job of the built-in model, samples included; null on a GPU that has not been measured yet. */
export function estimateSeconds(job: Job, backend: BackendReport): number | null {
  const images = job.train.steps * job.train.batch * job.train.accumulate;
  const rows = 2 + (job.sample.every > 0 ? Math.floor((job.train.steps - 1) / job.sample.every) : 0);
  // A training image costs a forward and a backward; a denoising step of a sample, or a noise level of a held-out image, a forward.
  const forwards = rows * job.sample.prompts.length * job.sample.steps + judgements(job) * HELDOUT_FORWARDS;
  const asImages = images + forwards / 2;
  const known = remembered(backend.kind);
  if (known !== null) return asImages * known;
  if (backend.kind === 'webgpu') return null;
  loopSpeed ||= measureLoop();
  const threads = 1 + (Math.max(1, Math.min(backend.threads, 8)) - 1) * 0.6;
  return (asImages * WORK_PER_IMAGE) / loopSpeed / threads;
}
