/** @file A Stable-Diffusion-shaped model in diffusers' folder layout. */
import * as v from 'valibot';
import { externalFiles } from '#src/onnx/external.ts';
import type { Model } from '#src/onnx/model.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { parseSchedulerConfig, Scheduler } from './scheduler.ts';
import { CaptionTokenizer } from './tokenizer.ts';

export interface DiffusionFolder {
  /** Paths in the FileSet. */
  readonly unet: string;
  readonly textEncoder: string;
  readonly scheduler: Scheduler;
  readonly tokenizer: CaptionTokenizer;
  /** Side of the model's images, pixels, and how many channels; null where unet/config.json is missing. */
  readonly sampleSize: number | null;
  readonly channels: number | null;
}

const size = v.pipe(v.number(), v.integer(), v.minValue(1));
const unetSchema = v.object({
  sample_size: v.optional(v.union([size, v.pipe(v.array(size), v.length(2))])),
  in_channels: v.optional(size),
  class_embed_type: v.nullish(v.unknown()),
  addition_embed_type: v.nullish(v.unknown()),
});
const indexSchema = v.looseObject({ _class_name: v.optional(v.string()) });

/** The parts without which nothing works, and what to do if one is not there. */
const required = [
  ['unet/model.onnx', 'Export the model with `optimum-cli export onnx`.'],
  ['text_encoder/model.onnx', 'Export the model with `optimum-cli export onnx`.'],
  ['scheduler/scheduler_config.json', 'Copy it from the original model.'],
  [
    'tokenizer/tokenizer.json',
    'Save the tokenizer with `AutoTokenizer.from_pretrained(…).save_pretrained(…)`.',
  ],
  ['tokenizer/tokenizer_config.json', 'Copy it from the original model.'],
] as const;

async function readJson(files: FileSet, path: string): Promise<unknown> {
  const text = new TextDecoder().decode(await files.read(path));
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new DataError(`${path} is not JSON: ${(error as Error).message}. Copy it from the original model.`);
  }
}

function checked<S extends v.GenericSchema>(schema: S, json: unknown, path: string): v.InferOutput<S> {
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new DataError(`${path}: ${v.getDotPath(issue) ?? 'the file'}: ${issue.message}.`);
}

/**
 * Finds the parts of a model. The folder may lie one level down (a picked parent folder).
 * @throws DataError that names every missing part at once, or what cannot be trained (a VAE, a second text encoder, …)
 */
export async function readDiffusionFolder(files: FileSet): Promise<DiffusionFolder> {
  const has = new Set(files.paths);
  const roots = files.paths
    .filter((p) => p === 'model_index.json' || /^[^/]+\/model_index\.json$/.test(p))
    .map((p) => p.slice(0, -'model_index.json'.length));
  const root = roots[0];
  if (root === undefined)
    throw new DataError(
      `${files.name} has no model_index.json. Choose the folder of a diffusers model exported to ONNX: it holds model_index.json, unet/, text_encoder/, scheduler/ and tokenizer/.`,
    );
  const missing = required.filter(([path]) => !has.has(root + path));
  if (missing.length)
    throw new DataError(
      `${files.name} lacks ${missing.map(([path]) => path).join(', ')}. ${[...new Set(missing.map(([, cure]) => cure))].join(' ')}`,
    );
  const read = (path: string): Promise<unknown> => readJson(files, root + path);
  const index = checked(indexSchema, await read('model_index.json'), 'model_index.json');
  const part = (key: string): boolean => Array.isArray(index[key]) && index[key][1] !== null;
  if (part('vae') || part('vae_encoder') || part('vae_decoder') || has.has(`${root}vae_decoder/model.onnx`))
    throw new DataError(
      `${files.name} draws through a VAE. So far Rotune trains models that draw pixels directly.`,
    );
  if (part('text_encoder_2') || part('transformer'))
    throw new DataError(
      `${files.name} (${index._class_name ?? 'unknown pipeline'}) has a ${part('transformer') ? 'diffusion transformer' : 'second text encoder'}. So far Rotune trains models with one text encoder and a UNet.`,
    );
  const unet = has.has(`${root}unet/config.json`)
    ? checked(unetSchema, await read('unet/config.json'), 'unet/config.json')
    : {};
  if ((unet.class_embed_type ?? null) !== null || (unet.addition_embed_type ?? null) !== null)
    throw new DataError(
      'unet/config.json asks for class or addition embeddings. So far Rotune feeds a UNet with noisy images, timesteps and captions only.',
    );
  const sampleSize = unet.sample_size;
  if (Array.isArray(sampleSize) && sampleSize[0] !== sampleSize[1])
    throw new DataError(`unet/config.json: sample_size ${sampleSize.join(' × ')} is not square.`);
  return {
    unet: `${root}unet/model.onnx`,
    textEncoder: `${root}text_encoder/model.onnx`,
    scheduler: new Scheduler(parseSchedulerConfig(await read('scheduler/scheduler_config.json'))),
    tokenizer: new CaptionTokenizer(
      await read('tokenizer/tokenizer.json'),
      await read('tokenizer/tokenizer_config.json'),
    ),
    sampleSize: (Array.isArray(sampleSize) ? sampleSize[0] : sampleSize) ?? null,
    channels: unet.in_channels ?? null,
  };
}

/**
 * The files beside a model that hold its external tensors, as paths in the FileSet.
 * @param path of the model's own file
 * @throws DataError that names each one that is not there
 */
export function externalPaths(files: FileSet, path: string, model: Model): string[] {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const paths = externalFiles(model).map((location) => folder + location.replace(/^\.\//, ''));
  const missing = paths.filter((p) => !files.paths.includes(p));
  if (missing.length)
    throw new DataError(
      `${path} keeps its weights in ${missing.join(', ')}, which ${missing.length > 1 ? 'are' : 'is'} not in ${files.name}. Put ${missing.length > 1 ? 'them' : 'it'} beside the model.`,
    );
  return paths;
}
