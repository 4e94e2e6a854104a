/** @file How a model gets its pictures: size, crop, order and range of the colours, from its files, from the job, or by custom. */
import type { PictureSize } from '#src/tasks/types.ts';
import { filterOf, type PreprocessorConfig } from './config.ts';
import { pictureDefaults, type PictureOptions } from './options.ts';

export { readPreprocessor, type PreprocessorConfig } from './config.ts';

export interface Preprocess {
  /** What an image is brought to. */
  readonly frame: PictureSize;
  /** The centre of the frame that the model sees. */
  readonly width: number;
  readonly height: number;
  /** x = (v/255·scale − mean)/std per channel; `scale` is 255 for models that count from 0 to 255. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly scale: number;
  /** Blue is the first channel. */
  readonly bgr?: boolean;
}

export const imagenetMean = [0.485, 0.456, 0.406] as const;
export const imagenetStd = [0.229, 0.224, 0.225] as const;

type Extent = NonNullable<PreprocessorConfig['size']>;

const isShortest = (x: Extent): x is Extent & { shortest_edge: number } =>
  typeof x === 'object' && 'shortest_edge' in x;

const sides = (x: Extent): readonly [width: number, height: number] => {
  if (typeof x === 'number') return [x, x];
  if (isShortest(x)) return [x.shortest_edge, x.shortest_edge];
  const { width, height } = x as { width: number; height: number };
  return [width, height];
};

const channelsOf = (x: number | readonly number[], n: number): number[] => {
  const given = typeof x === 'number' ? [x] : x;
  return Array.from({ length: n }, (_, c) => given[given.length === 1 ? 0 : c] ?? given.at(-1) ?? 0);
};

export interface PreprocessWish {
  /** Of the model's input where it is fixed; null: free. */
  readonly width: number | null;
  readonly height: number | null;
  readonly channels: number;
  /** Of the input's numbers; absent: floats. */
  readonly type?: 'float32' | 'uint8';
  readonly normalise: 'auto' | 'imagenet' | 'half' | 'none';
  /** What the user asks for. */
  readonly asked?: Partial<PictureOptions>;
}

/**
 * The model's fixed size comes first, then the user's, then the file's, then 224. Without a file: ImageNet's mean and deviation
 * (their average for grey pictures), and the picture's whole centre.
 */
export function preprocessing(config: PreprocessorConfig | null, wish: PreprocessWish): Preprocess {
  const asked = { ...pictureDefaults, ...wish.asked };
  const bgr =
    wish.channels === 3 &&
    (asked.colours === 'bgr' || (asked.colours === 'auto' && config?.do_flip_channel_order === true));
  return {
    ...shapeOf(config, wish, asked),
    ...numbersOf(config, wish, asked, bgr),
    ...(bgr && { bgr }),
  };
}

/** The frame, and what of it the model sees. */
function shapeOf(
  config: PreprocessorConfig | null,
  wish: PreprocessWish,
  asked: PictureOptions,
): Pick<Preprocess, 'frame' | 'width' | 'height'> {
  const size = config?.size ?? null;
  const own = size === null ? null : sides(size);
  const crops = config?.crop_size != null && config.do_center_crop !== false;
  const crop = crops ? sides(config.crop_size!) : own;
  const user = (side: number, other: number): number | null =>
    side > 0 ? side : asked.side > 0 ? asked.side : other > 0 && !crop ? other : null;
  const width = wish.width ?? user(asked.width, asked.height) ?? crop?.[0] ?? 224;
  const height = wish.height ?? user(asked.height, asked.width) ?? crop?.[1] ?? 224;
  const seen = { width, height };
  const filter = filterOf(config?.resample);
  const named = filter === 'bicubic' ? {} : { filter };
  if (asked.fit !== 'auto') return { ...seen, frame: { ...seen, fit: asked.fit, ...named } };
  if (size === null || own === null || crop === null || config?.do_resize === false)
    return { ...seen, frame: { ...seen, ...named } };
  const pct = config?.crop_pct ?? null;
  // ConvNeXt's way: below 384 a margin is cut off, from there on the whole is stretched.
  if (!crops && pct !== null) {
    const stretched = isShortest(size) && own[0] >= 384;
    const margin = stretched ? 1 : 1 / pct;
    const shortest = Math.trunc(width * margin);
    if (stretched) return { ...seen, frame: { ...seen, fit: 'stretch', ...named } };
    return { ...seen, frame: shortestFrame(seen, shortest, width * margin, height * margin, named) };
  }
  if (!crops)
    // A fixed height and width are stretched to, whatever the picture's shape; a number alone meant the same.
    return {
      ...seen,
      frame: { ...seen, ...(isShortest(size) ? {} : { fit: 'stretch' as const }), ...named },
    };
  const margin = Math.max(1, Math.min(own[0] / crop[0], own[1] / crop[1]));
  const [w, h] = [width * margin, height * margin];
  const byShortest = isShortest(size) || typeof size === 'number';
  if (!byShortest) {
    const same = width === crop[0] && height === crop[1] && own[0] >= width && own[1] >= height;
    const frame = same ? { width: own[0], height: own[1] } : rounded(w, h);
    return { ...seen, frame: { ...frame, fit: 'stretch', ...named } };
  }
  return { ...seen, frame: shortestFrame(seen, Math.round(Math.min(w, h)), w, h, named) };
}

const rounded = (width: number, height: number) => ({
  width: Math.round(width),
  height: Math.round(height),
});

/** The shorter side to so many pixels, and a square centre of it in whose middle lies just what would be cut out of the whole. */
function shortestFrame(
  seen: { readonly width: number; readonly height: number },
  shortest: number,
  w: number,
  h: number,
  named: Partial<PictureSize>,
): PictureSize {
  // Of other shapes the file says nothing.
  if (seen.width !== seen.height || shortest < seen.width) return { ...rounded(w, h), ...named };
  // An odd margin would shift the centre by half a pixel.
  const side = shortest - ((shortest - seen.width) % 2);
  return { width: side, height: side, fit: 'shortest', shortest, ...named };
}

/** Range, mean and deviation. */
function numbersOf(
  config: PreprocessorConfig | null,
  { channels: n, normalise, type }: PreprocessWish,
  asked: PictureOptions,
  bgr: boolean,
): Pick<Preprocess, 'mean' | 'std' | 'scale'> {
  const { range, mean, std } = asked;
  const plain = { mean: channelsOf(0, n), std: channelsOf(1, n) };
  if (type === 'uint8') return { ...plain, scale: 255 };
  const filed =
    config === null ? 1 : config.do_rescale === false ? 255 : (config.rescale_factor ?? 1 / 255) * 255;
  const set = range === 'auto' ? null : range === '0-1' ? 1 : 255;
  if (mean.length > 0 || std.length > 0) {
    // Nobody takes 103.9 off numbers from 0 to 1.
    const counts = Math.max(...mean, ...std) > 2 ? 255 : filed;
    return {
      mean: channelsOf(mean.length > 0 ? mean : 0, n),
      std: channelsOf(std.length > 0 ? std : 1, n),
      scale: set ?? counts,
    };
  }
  if (normalise === 'none') return { ...plain, scale: set ?? 1 };
  if (normalise === 'half') return { mean: channelsOf(0.5, n), std: channelsOf(0.5, n), scale: 1 };
  const imagenet = n === 1 ? { mean: [0.449], std: [0.226] } : { mean: imagenetMean, std: imagenetStd };
  // Each colour keeps its own, wherever it stands.
  const inOrder = (list: readonly number[]): number[] => (bgr ? [...list].reverse() : [...list]);
  const usual = { mean: inOrder(imagenet.mean), std: inOrder(imagenet.std) };
  if (normalise === 'imagenet') return { ...usual, scale: 1 };
  const scale = set ?? filed;
  // MobileViT's files list a mean that is not used: there, what is not said is not done.
  const unsaid = config?.do_normalize == null && config?.do_flip_channel_order != null;
  if (unsaid || config?.do_normalize === false || (config === null && set !== null))
    return { ...plain, scale };
  const off = config?.rescale_offset ? 1 : 0;
  return {
    mean: channelsOf(config?.image_mean ?? usual.mean, n).map((m) => m + off),
    std: channelsOf(config?.image_std ?? usual.std, n).map((s) => (s === 0 ? 1 : s)),
    scale,
  };
}
