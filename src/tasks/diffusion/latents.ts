/** @file A folder's pictures through the VAE's encoder, once; and latents back to pixels. */
import type { TaskHost, Tell } from '../types.ts';
import { type Example, type Examples, pixelsOf } from './examples.ts';
import { factorOf, type LoadedPipeline } from './load.ts';
import { type EncodedPicture, LatentMaterial, mirror, type Plane } from './material.ts';
import { type Latent, posterior, unscaled } from './posterior.ts';
import { type BoundVaeEncoder, bindVaeDecoder, bindVaeEncoder } from './vae.ts';

export interface LatentWish {
  readonly channels: number;
  /** Mirror images are wanted as well. */
  readonly mirrored: boolean;
  /** Deviations are wanted, to draw from. */
  readonly deviation: boolean;
}

/** Latents made with an encoder, by picture and size: what the last material is made of. */
const made = new WeakMap<object, Map<string, Latent>>();

/**
 * Bytes of latents that are held: those of 2,000 pictures of 512². Beyond it they are asked for anew when they are wanted, and come from what the host keeps
 * of the encoder's answers.
 */
const HELD = 2 ** 27;

const bytesOf = ({ mean, deviation }: Latent): number => mean.byteLength + (deviation?.byteLength ?? 0);

/**
 * Encodes what is not encoded yet, size by size: each size is a program of its own.
 * @param limit bytes of latents that are held
 */
export async function encodePictures(
  loaded: LoadedPipeline,
  folders: readonly Examples[],
  wish: LatentWish,
  host: TaskHost,
  tell?: Tell,
  limit = HELD,
): Promise<LatentMaterial[]> {
  const encoder = loaded.vae!.encoder;
  const before = made.get(encoder) ?? new Map<string, Latent>();
  const now = new Map<string, Latent>();
  const seen = new Set<string>();
  const sides = wish.mirrored ? [false, true] : [false];
  const all = folders.flatMap((folder) => folder.list.map((example) => ({ folder, example })));
  const sizes = folders[0]!.sizes;
  let [done, bytes] = [0, 0];
  const bounds = sizes.map((): BoundVaeEncoder | undefined => undefined);
  const encode = (folder: Examples, example: Example, side: boolean): Promise<Latent> => {
    const bound = (bounds[example.bucket] ??= bindVaeEncoder(
      encoder.model,
      encoder.path,
      sizes[example.bucket]!,
      wish.channels,
      factorOf(loaded),
    ));
    return encodeOne(loaded, bound, folder, example, side, wish, host);
  };
  for (const bucket of sizes.keys()) {
    for (const { folder, example } of all) {
      if (example.bucket !== bucket) continue;
      for (const side of sides) {
        const key = keyOf(host, folder, example, side, wish);
        if (seen.has(key)) continue;
        seen.add(key);
        const latent = before.get(key) ?? (await encode(folder, example, side));
        if (bytes + bytesOf(latent) > limit) continue;
        bytes += bytesOf(latent);
        now.set(key, latent);
      }
      tell?.(++done, all.length);
    }
  }
  made.set(encoder, now);
  const shapes = sizes.map(({ width, height }): Plane => {
    const factor = factorOf(loaded);
    return [wish.channels, height / factor, width / factor];
  });
  return folders.map((folder) => {
    const get = (example: Example, side: boolean): Latent | null =>
      now.get(keyOf(host, folder, example, side, wish)) ?? null;
    const pictures = folder.list.map((example): EncodedPicture => ({
      ...example,
      latent: get(example, false),
      mirrored: wish.mirrored ? get(example, true) : null,
    }));
    return new LatentMaterial(pictures, shapes, ({ image, mirrored }) =>
      encode(folder, folder.list[image]!, mirrored),
    );
  });
}

const keyOf = (
  host: TaskHost,
  { sizes }: Examples,
  example: Example,
  side: boolean,
  wish: LatentWish,
): string => {
  const { width, height } = sizes[example.bucket]!;
  return [host.backend, example.hash, width, height, side, wish.deviation].join();
};

async function encodeOne(
  loaded: LoadedPipeline,
  bound: BoundVaeEncoder,
  folder: Examples,
  example: Example,
  side: boolean,
  { deviation }: LatentWish,
  host: TaskHost,
): Promise<Latent> {
  const size = folder.sizes[example.bucket]!;
  const pixels = await pixelsOf(folder, example, host);
  const { scale } = loaded.pipeline.vae!;
  const { hash } = loaded.vae!.encoder;
  const key = `${hash}:${size.width}x${size.height}`;
  const run = host.frozen('vae encoder', key, () => bound.graph, example.path);
  const ask = async (noise: number): Promise<Float32Array> => {
    const draws = bound.noise.map(
      (name) => [name, new Float32Array(count(bound.shape)).fill(noise)] as const,
    );
    const out = await run({
      [bound.sample]: side ? mirror(pixels, size.width) : pixels,
      ...Object.fromEntries(draws),
    });
    return out[bound.output] as Float32Array;
  };
  const first = await ask(0);
  if (bound.gives === 'parameters') return posterior(first, scale, deviation);
  const mean = first.map((x) => (x - scale.shift) * scale.scaling);
  if (!deviation || bound.noise.length === 0) return { mean, deviation: null };
  // mean + σ·noise at noise 1, less the mean.
  const one = await ask(1);
  return {
    mean,
    deviation: one.map((x, i) => (x - first[i]!) * scale.scaling),
  };
}

const count = (shape: Plane): number => shape[0] * shape[1] * shape[2];

/** Pixels [3, height, width] of each of the latents [N, …], one after another. */
export async function decodeLatents(
  loaded: LoadedPipeline,
  latents: Float32Array,
  shape: Plane,
  host: TaskHost,
): Promise<Float32Array[]> {
  const { decoder } = loaded.vae!;
  const factor = factorOf(loaded);
  const bound = bindVaeDecoder(decoder.model, decoder.path, shape, factor);
  const run = host.frozen('vae decoder', `${decoder.hash}:${shape.join('x')}`, () => bound.graph);
  const pictures: Float32Array[] = [];
  for (let at = 0; at < latents.length; at += count(shape)) {
    const one = unscaled(latents.slice(at, at + count(shape)), loaded.pipeline.vae!.scale);
    const out = await run({ [bound.latents]: one });
    pictures.push(out[bound.output] as Float32Array);
  }
  return pictures;
}
