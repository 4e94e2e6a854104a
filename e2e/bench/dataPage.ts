/** @file The page's half of the data bench: makes photographs, and has them prepared by the real worker. */
import { proxy, wrap } from 'comlink';
import { drawSvg } from '#src/app/worker/svg.ts';
import { parseJob } from '#src/formats/jobs/job.ts';
import type { PrepareProgress, Source, WorkerApi } from '#workers/protocol.ts';

const worker = new Worker(new URL('../../workers/trainer.worker.ts', import.meta.url), { type: 'module' });
worker.addEventListener('error', (event) => console.error(event.message || 'The worker could not start.'));
const api = wrap<WorkerApi>(worker);
void api.lendSvg(proxy(drawSvg));

let images: Source & { kind: 'files' } = { kind: 'files', name: 'bench', files: [] };

/** JPEGs of soft gradients with some hundred specks, all different; of two classes. */
export async function make(count: number, side: number): Promise<number> {
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext('2d')!;
  const files: { path: string; blob: Blob }[] = [];
  for (let i = 0; i < count; i++) {
    const gradient = context.createLinearGradient(0, 0, side, (i * 37) % side);
    gradient.addColorStop(0, `hsl(${i % 360} 60% 40%)`);
    gradient.addColorStop(1, `hsl(${(i * 7) % 360} 60% 70%)`);
    context.fillStyle = gradient;
    context.fillRect(0, 0, side, side);
    for (let k = 0; k < 200; k++) {
      context.fillStyle = `hsl(${(i * k) % 360} 50% ${(k * 13) % 100}%)`;
      context.fillRect((i * 97 + k * 61) % side, (i * 31 + k * 173) % side, 9, 5);
    }
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.85 });
    files.push({ path: `${i % 2 ? 'cat' : 'dog'}/${i}.jpg`, blob });
  }
  images = { kind: 'files', name: `bench ${count}`, files };
  return files.reduce((sum, { blob }) => sum + blob.size, 0);
}

async function tinySd(): Promise<Source> {
  const paths = [
    'model_index.json',
    'scheduler/scheduler_config.json',
    'tokenizer/tokenizer.json',
    'tokenizer/tokenizer_config.json',
    ...['text_encoder', 'unet', 'vae_encoder', 'vae_decoder'].flatMap((part) => [
      `${part}/model.onnx`,
      `${part}/config.json`,
    ]),
  ];
  const files = await Promise.all(
    paths.map(async (path) => {
      const blob = await (await fetch(`/e2e/golden/tiny-sd/${path}`)).blob();
      if (path !== 'unet/config.json') return { path, blob };
      // Pictures of 128 pixels: their latents, 4 × 64 × 64, are as large as those that Stable Diffusion has of 512.
      const config = { ...(JSON.parse(await blob.text()) as object), sample_size: 64 };
      return { path, blob: new Blob([JSON.stringify(config)]) };
    }),
  );
  return { kind: 'files', name: 'tiny-sd', files };
}

export interface Prepared {
  readonly ok: boolean;
  readonly code: string | null;
  readonly images: number;
  readonly seconds: number;
  /** From the call of the cancel to the outcome; null: not cancelled. */
  readonly cancelled: number | null;
}

/**
 * Prepares the images.
 * @param onProgress told what and how many
 * @param cancelAt so many images; 0: never
 */
export async function prepare(
  task: string,
  onProgress: (progress: PrepareProgress) => void,
  cancelAt: number,
): Promise<Prepared> {
  const diffusion = task === 'diffusion';
  const job = parseJob(
    diffusion
      ? 'task = "diffusion"\nmodel = "tiny-sd"\n[data]\ntrain = "bench"\n'
      : 'task = "image-classification"\nmodel = "builtin:shapes"\n[data]\ntrain = "bench"\n[options]\nnormalise = "half"\n',
  );
  const began = performance.now();
  let asked = 0;
  const outcome = await api.prepare(
    {
      job,
      model: diffusion ? await tinySd() : { kind: 'builtin', id: 'shapes' },
      train: images,
      heldout: null,
      backend: 'wasm',
    },
    diffusion,
    proxy((progress: PrepareProgress) => {
      onProgress(progress);
      if (progress.what !== 'data' || cancelAt === 0 || progress.done < cancelAt || asked > 0) return;
      asked = performance.now();
      void api.cancelPreparation();
    }),
  );
  const now = performance.now();
  return {
    ok: outcome.ok,
    code: outcome.ok ? null : outcome.problem.code,
    images: outcome.ok ? outcome.value.images : 0,
    seconds: (now - began) / 1000,
    cancelled: asked > 0 ? (now - asked) / 1000 : null,
  };
}
