/** @file How a model wants its pictures: size, crop, mean and deviation, from Hugging Face's preprocessor_config.json or by custom. */
import * as v from 'valibot';
import { DataError, type FileSet } from '#src/tasks/files.ts';

export interface Preprocess {
  /** What an image is cropped and scaled to. */
  readonly frame: { readonly width: number; readonly height: number };
  /** The centre of the frame that the model sees. */
  readonly width: number;
  readonly height: number;
  /** x = (v/255·scale − mean)/std per channel; `scale` is 1 but for models that want other ranges. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly scale: number;
}

const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096));
const extent = v.union([
  side,
  v.looseObject({ height: side, width: side }),
  v.looseObject({ shortest_edge: side }),
]);
const perChannel = v.union([
  v.pipe(v.array(v.pipe(v.number(), v.finite())), v.minLength(1), v.maxLength(4)),
  v.pipe(v.number(), v.finite()),
]);
const schema = v.looseObject({
  size: v.nullish(extent),
  crop_size: v.nullish(extent),
  do_center_crop: v.nullish(v.boolean()),
  do_normalize: v.nullish(v.boolean()),
  do_rescale: v.nullish(v.boolean()),
  rescale_factor: v.nullish(v.pipe(v.number(), v.finite())),
  crop_pct: v.nullish(v.pipe(v.number(), v.minValue(0.1), v.maxValue(1))),
  image_mean: v.nullish(perChannel),
  image_std: v.nullish(perChannel),
});
export type PreprocessorConfig = v.InferOutput<typeof schema>;

export const imagenetMean = [0.485, 0.456, 0.406] as const;
export const imagenetStd = [0.229, 0.224, 0.225] as const;

/** preprocessor_config.json beside the model (or one folder up); null without one. Throws DataError for one that cannot be read. */
export async function readPreprocessor(
  files: FileSet,
  modelPath: string,
): Promise<PreprocessorConfig | null> {
  const folder = modelPath.slice(0, modelPath.lastIndexOf('/') + 1);
  const parent = folder.replace(/[^/]+\/$/, '');
  const path = [folder, parent, '']
    .map((f) => `${f}preprocessor_config.json`)
    .find((p) => files.paths.includes(p));
  if (path === undefined) return null;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(await files.read(path)).replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new DataError(`${path} is not JSON: ${(error as Error).message}.`);
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new DataError(`${path}: ${v.getDotPath(issue) ?? 'the file'}: ${issue.message}.`);
}

const sides = (x: v.InferOutput<typeof extent>): readonly [width: number, height: number] => {
  if (typeof x === 'number') return [x, x];
  if ('shortest_edge' in x) return [x.shortest_edge as number, x.shortest_edge as number];
  return [x.width, x.height];
};

const channelsOf = (
  x: number | readonly number[] | null | undefined,
  otherwise: readonly number[],
  n: number,
) => {
  const given = typeof x === 'number' ? [x] : (x ?? otherwise);
  return Array.from({ length: n }, (_, c) => given[given.length === 1 ? 0 : c] ?? 0);
};

export interface PreprocessWish {
  /** Of the model's input where it is fixed; null: free. */
  readonly width: number | null;
  readonly height: number | null;
  readonly channels: number;
  readonly normalise: 'auto' | 'imagenet' | 'half' | 'none';
  /** Side that the user asks for; 0: none. */
  readonly side: number;
}

/**
 * The model's fixed size comes first, then the user's, then the file's, then 224. Without a file: ImageNet's mean and deviation
 * (their average for grey pictures), and the picture's whole centre.
 */
export function preprocessing(config: PreprocessorConfig | null, wish: PreprocessWish): Preprocess {
  const size = config?.size == null ? null : sides(config.size);
  const crops = config?.crop_size != null && config.do_center_crop !== false;
  const crop = crops ? sides(config.crop_size!) : size;
  const asked = wish.side > 0 ? wish.side : null;
  const width = wish.width ?? asked ?? crop?.[0] ?? 224;
  const height = wish.height ?? asked ?? crop?.[1] ?? 224;
  const margin =
    crops && size
      ? Math.max(1, Math.min(size[0] / crop![0], size[1] / crop![1]))
      : 1 / (config?.crop_pct ?? 1);
  const frame = { width: Math.round(width * margin), height: Math.round(height * margin) };
  const base = { frame, width, height, scale: 1 };
  const n = wish.channels;
  const { normalise } = wish;
  if (normalise === 'none' || (normalise === 'auto' && config?.do_normalize === false)) {
    const factor =
      normalise === 'auto' && config
        ? config.do_rescale === false
          ? 1
          : (config.rescale_factor ?? 1 / 255)
        : 1 / 255;
    return { ...base, scale: factor * 255, mean: channelsOf(0, [], n), std: channelsOf(1, [], n) };
  }
  if (normalise === 'half') return { ...base, mean: channelsOf(0.5, [], n), std: channelsOf(0.5, [], n) };
  const grey = n === 1;
  const mean = channelsOf(normalise === 'auto' ? config?.image_mean : null, grey ? [0.449] : imagenetMean, n);
  const std = channelsOf(normalise === 'auto' ? config?.image_std : null, grey ? [0.226] : imagenetStd, n);
  const scale = normalise === 'auto' && config?.rescale_factor != null ? config.rescale_factor * 255 : 1;
  return { ...base, scale, mean, std: std.map((s) => (s === 0 ? 1 : s)) };
}
