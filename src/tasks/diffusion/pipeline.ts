/** @file A Stable Diffusion model's files and settings, of any of its kinds: pixels or latents, one text encoder or SDXL's two. */
import { fieldWords } from '#src/tasks/fields.ts';
import * as v from 'valibot';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { textBeside } from '#src/tasks/textFiles.ts';
import { clipTokenizerJson } from './clipTokenizer.ts';
import { Parts, readJson } from './parts.ts';
import type { LatentScale } from './posterior.ts';
import { parseSchedulerConfig } from './schedulerConfig.ts';
import { Scheduler } from './scheduler.ts';
import { CaptionTokenizer } from './tokenizer.ts';

export interface TextPart {
  readonly part: 'text_encoder' | 'text_encoder_2';
  /** Path in the FileSet. */
  readonly path: string;
  readonly tokenizer: CaptionTokenizer;
}

export interface VaePart {
  /** Paths in the FileSet. */
  readonly encoder: string;
  readonly decoder: string;
  readonly scale: LatentScale;
  /** Pixels per latent, along one side. */
  readonly factor: number;
}

export interface Pipeline {
  /** Path in the FileSet. */
  readonly unet: string;
  readonly texts: readonly TextPart[];
  /** null: the UNet draws pixels. */
  readonly vae: VaePart | null;
  readonly scheduler: Scheduler;
  /** Side of what the UNet draws, in its own units; null where unet/config.json does not say. */
  readonly sampleSize: number | null;
  readonly channels: number | null;
  /** The UNet halves its pictures so many times: sides are multiples of 2 to this power. */
  readonly halvings: number;
  /** The embeddings of an empty negative prompt are zeros (SDXL). */
  readonly zeroNegative: boolean;
}

const size = v.pipe(v.number(), v.integer(), v.minValue(1));
const unetSchema = v.object({
  sample_size: v.nullish(v.union([size, v.pipe(v.array(size), v.length(2))])),
  in_channels: v.optional(size),
  block_out_channels: v.optional(v.array(size)),
  class_embed_type: v.nullish(v.unknown()),
  addition_embed_type: v.nullish(v.unknown()),
});
const vaeSchema = v.object({
  scaling_factor: v.optional(v.pipe(v.number(), v.finite(), v.gtValue(0)), 0.18215),
  shift_factor: v.nullish(v.pipe(v.number(), v.finite()), 0),
  block_out_channels: v.optional(v.array(size)),
  latents_mean: v.nullish(v.unknown()),
});
const indexSchema = v.looseObject({
  _class_name: v.optional(v.string()),
  force_zeros_for_empty_prompt: v.optional(v.boolean()),
  requires_aesthetics_score: v.optional(v.boolean()),
});

function checked<S extends v.GenericSchema>(schema: S, json: unknown, path: string): v.InferOutput<S> {
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new DataError(`${path}: ${fieldWords(issue)}. Copy it from the original model.`);
}

/**
 * Finds the parts of a model. The folder may lie one level down (a picked parent folder).
 * @throws DataError that names every missing part at once, or what cannot be trained (a diffusion transformer, …)
 */
export async function readPipeline(files: FileSet): Promise<Pipeline> {
  const parts = new Parts(files);
  const json = (path: string | null): Promise<unknown> =>
    path === null ? Promise.resolve({}) : readJson(files, path);
  const indexPath = parts.first('model_index.json');
  const index = checked(indexSchema, await json(indexPath), 'model_index.json');
  const wants = (key: string): boolean => Array.isArray(index[key]) && index[key][1] !== null;
  if (wants('transformer') || wants('prior') || index.requires_aesthetics_score)
    throw new DataError(
      `${files.name} (${index._class_name ?? 'unknown pipeline'}) ${index.requires_aesthetics_score ? 'is a refiner, which wants aesthetic scores' : wants('prior') ? 'draws from image embeddings' : 'has a diffusion transformer'}. Rotune trains Stable Diffusion models: a UNet with one or two text encoders. Choose one of those.`,
    );
  const latent =
    wants('vae') ||
    wants('vae_encoder') ||
    wants('vae_decoder') ||
    parts.onnx('vae_decoder') !== null ||
    parts.onnx('vae_encoder') !== null;
  const two = wants('text_encoder_2') || parts.onnx('text_encoder_2') !== null;
  const found = locate(parts, files.name, latent, two);
  const unetConfig = parts.config('unet');
  const unet = checked(unetSchema, await json(unetConfig), unetConfig ?? 'unet/config.json');
  checkUnet(unet, two);
  const schedule = parseSchedulerConfig(await json(found.scheduler), found.scheduler);
  const texts: TextPart[] = [
    { part: 'text_encoder', path: found.text, tokenizer: await readTokenizer(files, parts, 'tokenizer') },
  ];
  if (found.text2 !== null)
    texts.push({
      part: 'text_encoder_2',
      path: found.text2,
      tokenizer: await readTokenizer(files, parts, 'tokenizer_2'),
    });
  const sampleSize = unet.sample_size;
  return {
    unet: found.unet,
    texts,
    vae: found.vae && { ...found.vae, ...(await readVae(parts, json)) },
    // Stable Diffusion's own pipeline never clips latents, whatever the file says.
    scheduler: new Scheduler(latent ? { ...schedule, clip_sample: false } : schedule),
    sampleSize: (Array.isArray(sampleSize) ? sampleSize[0] : sampleSize) ?? null,
    channels: unet.in_channels ?? null,
    halvings: Math.max(0, (unet.block_out_channels?.length ?? 4) - 1),
    zeroNegative: two && (index.force_zeros_for_empty_prompt ?? true),
  };
}

interface Located {
  readonly unet: string;
  readonly text: string;
  readonly text2: string | null;
  readonly vae: { readonly encoder: string; readonly decoder: string } | null;
  readonly scheduler: string;
}

/** The parts without which nothing works; what is not there is named all at once, with what to do. */
function locate(parts: Parts, name: string, latent: boolean, two: boolean): Located {
  const missing: { path: string; cure: string }[] = [];
  const need = (found: string | null, path: string, cure: string): string => {
    if (found === null) missing.push({ path, cure });
    return found ?? '';
  };
  const exported = 'Export the model with `optimum-cli export onnx`.';
  const copied = 'Copy it from the original model.';
  const onnx = (part: Parameters<Parts['onnx']>[0]): string =>
    need(parts.onnx(part), `${part}/model.onnx`, exported);
  const tokenizer = (folder: string): void => {
    if (!tokenizerFiles(parts, folder))
      need(
        null,
        `${folder}/tokenizer.json`,
        'Save the tokenizer with `AutoTokenizer.from_pretrained(…).save_pretrained(…)`.',
      );
    else
      need(
        parts.first(...beside(folder, 'tokenizer_config.json')),
        `${folder}/tokenizer_config.json`,
        copied,
      );
  };
  const located: Located = {
    unet: onnx('unet'),
    text: onnx('text_encoder'),
    text2: two ? onnx('text_encoder_2') : null,
    vae: latent ? { encoder: onnx('vae_encoder'), decoder: onnx('vae_decoder') } : null,
    scheduler: need(
      parts.first('scheduler/scheduler_config.json', 'scheduler_config.json'),
      'scheduler/scheduler_config.json',
      copied,
    ),
  };
  tokenizer('tokenizer');
  if (two) tokenizer('tokenizer_2');
  if (missing.length > 0)
    throw new DataError(
      `${name} lacks ${missing.map(({ path }) => path).join(', ')}. ${[...new Set(missing.map(({ cure }) => cure))].join(' ')}`,
    );
  return located;
}

function checkUnet(unet: v.InferOutput<typeof unetSchema>, two: boolean): void {
  const added = unet.addition_embed_type ?? null;
  if ((unet.class_embed_type ?? null) !== null || (added !== null && !(two && added === 'text_time')))
    throw new DataError(
      `unet/config.json asks for ${added === null ? 'class' : 'addition'} embeddings${typeof added === 'string' ? ` ("${added}")` : ''}, which no Stable Diffusion model with ${two ? 'two text encoders' : 'one text encoder'} has. Rotune feeds a UNet with noisy images, timesteps, captions, and SDXL's sizes. Choose another model.`,
    );
  const { sample_size: side } = unet;
  if (Array.isArray(side) && side[0] !== side[1])
    throw new DataError(
      `unet/config.json: sample_size ${side.join(' × ')} is not square. Choose a model of square pictures.`,
    );
}

async function readVae(
  parts: Parts,
  json: (path: string | null) => Promise<unknown>,
): Promise<Pick<VaePart, 'scale' | 'factor'>> {
  const path = parts.config('vae_decoder') ?? parts.config('vae_encoder') ?? parts.config('vae');
  const vae = checked(vaeSchema, await json(path), path ?? 'vae_decoder/config.json');
  if ((vae.latents_mean ?? null) !== null)
    throw new DataError(
      `${path ?? 'vae_decoder/config.json'} normalises latents channel by channel (latents_mean), which Rotune does not do. Choose another model.`,
    );
  return {
    scale: { scaling: vae.scaling_factor, shift: vae.shift_factor },
    factor: 2 ** ((vae.block_out_channels?.length ?? 4) - 1),
  };
}

/** In the part's own folder; the first tokenizer's files may lie at the root. */
const beside = (folder: string, file: string): string[] =>
  folder === 'tokenizer' ? [`${folder}/${file}`, file] : [`${folder}/${file}`];

function tokenizerFiles(
  parts: Parts,
  folder: string,
): { json: string } | { vocab: string; merges: string } | null {
  const json = parts.first(...beside(folder, 'tokenizer.json'));
  if (json !== null) return { json };
  const vocab = parts.first(...beside(folder, 'vocab.json'));
  const merges = parts.first(...beside(folder, 'merges.txt'));
  return vocab !== null && merges !== null ? { vocab, merges } : null;
}

async function readTokenizer(files: FileSet, parts: Parts, folder: string): Promise<CaptionTokenizer> {
  const found = tokenizerFiles(parts, folder)!;
  const config = await readJson(files, parts.first(...beside(folder, 'tokenizer_config.json'))!);
  if ('json' in found) return new CaptionTokenizer(await readJson(files, found.json), config, folder);
  const merges = await textBeside(files, found.merges);
  return new CaptionTokenizer(
    clipTokenizerJson(await readJson(files, found.vocab), merges, folder),
    config,
    folder,
  );
}
