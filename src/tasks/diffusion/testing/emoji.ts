/** @file The built-in model under plain onnxruntime-web, for tests: its tokenizer, scheduler, text encoder and UNet. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-web';
import type { Denoise } from '../sample.ts';
import { parseSchedulerConfig } from '../schedulerConfig.ts';
import { Scheduler } from '../scheduler.ts';
import { CaptionTokenizer } from '../tokenizer.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

const model = (path: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../../../../public/models/emoji/${path}`, import.meta.url)));
const json = (path: string): unknown => JSON.parse(new TextDecoder().decode(model(path)));
const open = (path: string): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(model(path), { executionProviders: ['wasm'] });
const int64 = (ids: ArrayLike<number>): BigInt64Array => BigInt64Array.from(Array.from(ids, BigInt));

/** With leading timesteps, under which the golden samples were drawn. */
export const emojiScheduler = (): Scheduler =>
  new Scheduler({
    ...parseSchedulerConfig(json('scheduler/scheduler_config.json')),
    timestep_spacing: 'leading',
  });

export const emojiTokenizer = (): CaptionTokenizer =>
  new CaptionTokenizer(json('tokenizer/tokenizer.json'), json('tokenizer/tokenizer_config.json'));

/** Ids [batch, 12] → last_hidden_state [batch, 12, 96]. */
export async function emojiTextEncoder(): Promise<(ids: Int32Array, batch: number) => Promise<Float32Array>> {
  const session = await open('text_encoder/model.onnx');
  return async (ids, batch) => {
    const out = await session.run({
      input_ids: new ort.Tensor('int64', int64(ids), [batch, ids.length / batch]),
    });
    return out['last_hidden_state']!.data as Float32Array;
  };
}

/** The UNet at any batch; a timestep per sample, or one for all. */
export async function emojiUnet(): Promise<
  (latents: Float32Array, timesteps: ArrayLike<number>, embeddings: Float32Array) => Promise<Float32Array>
> {
  const session = await open('unet/model.onnx');
  return async (latents, timesteps, embeddings) => {
    const batch = latents.length / (3 * 32 * 32);
    const out = await session.run({
      sample: new ort.Tensor('float32', latents, [batch, 3, 32, 32]),
      timestep: new ort.Tensor('int64', int64(timesteps), [batch]),
      encoder_hidden_states: new ort.Tensor('float32', embeddings, [batch, 12, 96]),
    });
    return out['out_sample']!.data as Float32Array;
  };
}

export async function emojiDenoise(): Promise<Denoise> {
  const unet = await emojiUnet();
  return (latents, t, conditions) =>
    unet(
      latents,
      new Int32Array(latents.length / 3072).fill(t),
      conditions['encoder_hidden_states'] as Float32Array,
    );
}
