/** @file Sample pictures and the held-out loss of the network as it is now. */
import type { Adapted, Picture, SampleWish, TaskHost, Tell } from '../types.ts';
import { timestepTensor } from './batches.ts';
import type { Size } from './buckets.ts';
import type { Conditions } from './conditions.ts';
import { timeIdsOf } from './examples.ts';
import { decodeLatents } from './latents.ts';
import { factorOf, type LoadedPipeline, sideOf } from './load.ts';
import type { Material } from './material.ts';
import { heldoutLoss, type Predict } from './metrics.ts';
import type { Network } from './network.ts';
import { networkOf } from './networks.ts';
import type { DiffusionOptions } from './options.ts';
import { saturation, toPicture } from './pictures.ts';
import { samplePixels } from './preview.ts';

/** What is drawn with. */
export interface Studio {
  readonly loaded: LoadedPipeline;
  readonly options: DiffusionOptions;
  readonly adapted: Adapted;
  readonly conditions: Conditions;
  readonly host: TaskHost;
}

/** The network under fixed rotations. */
interface Forward {
  /** Pictures or noisy images per call. */
  readonly batch: number;
  readonly network: Network;
  /** [batch, …] → prediction like the images. */
  readonly predict: Predict;
}

/** Small models draw eight pictures at a time, large ones two: their activations are what fills the memory. */
function forwardBatch({ bytes }: LoadedPipeline, rows: number): number {
  if (rows <= 2) return 2;
  return bytes < 2 ** 27 ? 8 : 2;
}

/**
 * @param plane [height, width] of what the UNet draws
 * @param rows how many pictures are wanted per call; a smaller program serves one or two
 */
async function forwardOf(
  { loaded, options, adapted }: Studio,
  plane: readonly [number, number],
  rows: number,
): Promise<Forward> {
  const batch = forwardBatch(loaded, rows);
  const network = networkOf(loaded, {
    batch,
    plane,
    trainText: options.trainTextEncoder,
  });
  const run = await adapted.run(`forward ${batch}`, network.graph);
  return {
    batch,
    network,
    predict: async (images, timesteps, conditions) => {
      const out = await run({
        [network.sample]: images,
        [network.timestep]: timestepTensor(timesteps, network.timestepType),
        ...conditions,
      });
      return out[network.output] as Float32Array;
    },
  };
}

export interface Drawn {
  readonly pictures: readonly Picture[];
  /** Mean of (max − min over RGB)/2 of the pixels; null without pictures. */
  readonly saturation: number | null;
}

/** Draws the prompts from noise that only (seed, place in the list) decides. */
export async function draw(studio: Studio, wish: SampleWish, tell: Tell): Promise<Drawn> {
  const { loaded, options, conditions, host } = studio;
  const { prompts, guidance } = wish;
  if (prompts.length === 0) return { pictures: [], saturation: null };
  const side = sideOf(loaded);
  // Guidance needs two rows per picture.
  const { network, batch, predict } = await forwardOf(
    studio,
    [side, side],
    prompts.length * (guidance === 1 ? 1 : 2),
  );
  const pixel = side * factorOf(loaded);
  const size: Size = { width: pixel, height: pixel };
  const times =
    network.timeIds === null
      ? {}
      : {
          [network.timeIds]: Float32Array.from(
            Array.from({ length: batch }, () => timeIdsOf(size, size)).flat(),
          ),
        };
  const drawn = await samplePixels({
    ...wish,
    sampler: options.sampler,
    scheduler: loaded.pipeline.scheduler,
    conditions,
    shape: network.shape,
    batch: guidance === 1 ? batch : Math.floor(batch / 2),
    denoise: (latents, timestep, rows) =>
      predict(latents, new Float32Array(batch).fill(timestep), {
        ...rows,
        ...times,
      }),
    onStep: tell,
  });
  const each = drawn.length / prompts.length;
  const pictures = loaded.vae
    ? await decodeLatents(loaded, drawn, network.shape, host)
    : prompts.map((_, i) => drawn.subarray(i * each, (i + 1) * each));
  const plane = size.width * size.height;
  const colours = pictures.map((pixels) =>
    saturation(
      pixels.map((x) => Math.min(1, Math.max(-1, x))),
      plane,
    ),
  );
  return {
    pictures: pictures.map((pixels) => toPicture(pixels, size.width, size.height)),
    saturation: colours.reduce((a, b) => a + b, 0) / colours.length,
  };
}

/** The held-out loss; null where there are no held-out images. */
export async function judge(studio: Studio, material: Material | null, tell: Tell): Promise<number | null> {
  if (!material || material.captions.length === 0) return null;
  const { loaded, conditions } = studio;
  const plane = ([, height, width]: Material['shapes'][number]) => [height, width] as const;
  const any = networkOf(loaded, {
    batch: forwardBatch(loaded, 8),
    plane: plane(material.shapes[0]!),
    trainText: studio.options.trainTextEncoder,
  });
  return heldoutLoss({
    material,
    scheduler: loaded.pipeline.scheduler,
    conditions,
    batch: forwardBatch(loaded, 8),
    timeIds: any.timeIds,
    predictor: async (shape) => (await forwardOf(studio, plane(material.shapes[shape]!), 8)).predict,
    onProgress: tell,
  });
}
