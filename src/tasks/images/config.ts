/** @file How a model's own files want its pictures: Hugging Face's preprocessor_config.json or processor_config.json, or timm's config.json. */
import { fieldWords } from '#src/tasks/fields.ts';
import * as v from 'valibot';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { textBeside } from '#src/tasks/textFiles.ts';
import type { Filter } from './resample.ts';

const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096));
const extent = v.union([
  side,
  v.looseObject({ height: side, width: side }),
  v.looseObject({ shortest_edge: side }),
  // Sizes that follow from the picture's own (longest_edge, max_height …) say nothing of a fixed one.
  v.pipe(
    v.looseObject({}),
    v.transform(() => null),
  ),
]);
const perChannel = v.union([
  v.pipe(v.array(v.pipe(v.number(), v.finite())), v.minLength(1), v.maxLength(4)),
  v.pipe(v.number(), v.finite()),
]);
const schema = v.looseObject({
  size: v.nullish(extent),
  crop_size: v.nullish(extent),
  do_resize: v.nullish(v.boolean()),
  do_center_crop: v.nullish(v.boolean()),
  do_normalize: v.nullish(v.boolean()),
  do_rescale: v.nullish(v.boolean()),
  do_flip_channel_order: v.nullish(v.boolean()),
  rescale_factor: v.nullish(v.pipe(v.number(), v.finite())),
  rescale_offset: v.nullish(v.boolean()),
  resample: v.nullish(v.number()),
  crop_pct: v.nullish(v.pipe(v.number(), v.minValue(0.1), v.maxValue(1))),
  image_mean: v.nullish(perChannel),
  image_std: v.nullish(perChannel),
});
export type PreprocessorConfig = v.InferOutput<typeof schema>;

const timmSchema = v.looseObject({
  input_size: v.nullish(v.pipe(v.array(side), v.length(3))),
  interpolation: v.nullish(v.string()),
  crop_pct: v.nullish(v.pipe(v.number(), v.minValue(0.1), v.maxValue(1))),
  crop_mode: v.nullish(v.string()),
  mean: v.nullish(perChannel),
  std: v.nullish(perChannel),
});

/** Pillow's numbers of its kernels. */
const filters: Readonly<Record<number, Filter>> = {
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic',
  4: 'box',
  5: 'hamming',
};
export const filterOf = (resample: number | null | undefined): Filter => filters[resample ?? 3] ?? 'bicubic';

/** timm's evaluation (timm/data/transforms_factory.py): the shorter side to size/crop_pct, then the centre; "squash": stretched to that. */
function fromTimm(config: v.InferOutput<typeof timmSchema>): PreprocessorConfig {
  const [, height, width] = config.input_size ?? [3, 224, 224];
  const pct = config.crop_pct ?? 0.875;
  const scaled = (n: number): number => Math.floor(n / pct);
  const number = { bilinear: 2, bicubic: 3, lanczos: 1, hamming: 5, box: 4 }[config.interpolation ?? ''];
  return {
    size:
      config.crop_mode === 'squash' || width !== height
        ? { height: scaled(height!), width: scaled(width!) }
        : { shortest_edge: scaled(height!) },
    crop_size: { height: height!, width: width! },
    do_center_crop: true,
    resample: number ?? 2,
    image_mean: config.mean ?? null,
    image_std: config.std ?? null,
  };
}

async function jsonAt(files: FileSet, path: string): Promise<unknown> {
  const text = await textBeside(files, path);
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
  } catch {
    throw new DataError(`${path} is not JSON. Copy it from the original model.`);
  }
}

function parsed<T extends v.GenericSchema>(shape: T, json: unknown, path: string): v.InferOutput<T> {
  const result = v.safeParse(shape, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new DataError(`${path}: ${fieldWords(issue)}. Copy it from the original model.`);
}

const objectIn = (json: unknown, key: string): object | null => {
  const inner = typeof json === 'object' && json !== null ? (json as Record<string, unknown>)[key] : null;
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : null;
};

/** What lies beside the model (or one folder up) and says it; null where nothing does. Throws DataError for a file that cannot be read. */
export async function readPreprocessor(
  files: FileSet,
  modelPath: string,
): Promise<PreprocessorConfig | null> {
  const folder = modelPath.slice(0, modelPath.lastIndexOf('/') + 1);
  const parent = folder.replace(/[^/]+\/$/, '');
  const find = (name: string): string | undefined =>
    [folder, parent, ''].map((f) => f + name).find((p) => files.paths.includes(p));
  const own = find('preprocessor_config.json');
  if (own !== undefined) return parsed(schema, await jsonAt(files, own), own);
  const processor = find('processor_config.json');
  if (processor !== undefined) {
    const inner = objectIn(await jsonAt(files, processor), 'image_processor');
    if (inner) return parsed(schema, inner, processor);
  }
  const config = find('config.json');
  if (config === undefined) return null;
  const timm = objectIn(await jsonAt(files, config), 'pretrained_cfg');
  return timm && fromTimm(parsed(timmSchema, timm, config));
}
