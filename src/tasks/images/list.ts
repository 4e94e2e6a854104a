/** @file Which files of a set are pictures, by their endings and, where those say nothing, by their first bytes. */
import { type FileSet, isHidden } from '#src/tasks/files.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import { foreignKind, isForeignName, namesOf } from './foreign.ts';
import { probeImage } from './probe.ts';

/** Endings of pictures that are decoded. */
export const PICTURE_ENDINGS = [
  ...['png', 'apng', 'jpg', 'jpeg', 'jpe', 'jfif', 'jfi', 'jif', 'pjpeg', 'pjp', 'webp', 'avif', 'avifs'],
  ...['svg', 'gif', 'bmp', 'dib', 'tif', 'tiff', 'heic', 'heif'],
] as const;

const PICTURE = new RegExp(String.raw`\.(${PICTURE_ENDINGS.join('|')})$`, 'i');
/** What stands beside pictures and is none. */
const BESIDE =
  /\.(txt|caption|csv|tsv|jsonl?|ndjson|md|rst|toml|ya?ml|xml|html?|css|js|py|ipynb|sh|log|ini|cfg|db|lock|url|lnk|license|sha\d*|md5|np[yz]|safetensors|onnx(_data)?|pt|pth|ckpt|parquet|arrow|zip)$|(^|\/)(readme|licen[cs]e|notice|copying|makefile)$/i;

/** Is the file a picture by its name? */
export const isPictureName = (path: string): boolean => PICTURE.test(path) || isForeignName(path);

/** Paths of pictures under `prefix` by their names alone, hidden ones left out, in the order of the set. */
export const imagePaths = (files: FileSet, prefix = ''): string[] =>
  files.paths.filter((path) => path.startsWith(prefix) && isPictureName(path) && !isHidden(path));

/** Files without a telling name that are looked into. */
const LOOKED_INTO = 500;
/** Bytes that tell a kind. */
const HEAD = 4096;

export interface FoundImages {
  /** In the order of the set. Some may turn out to be of a kind that is not decoded. */
  readonly paths: readonly string[];
  /** What else lies there and is left out. */
  readonly problems: readonly TaskProblem[];
}

/** Pictures under `prefix` (a folder that ends in "/", or "" for all), hidden ones left out. */
export async function findImages(files: FileSet, prefix = ''): Promise<FoundImages> {
  const paths: string[] = [];
  const others: string[] = [];
  let looked = 0;
  for (const path of files.paths) {
    if (!path.startsWith(prefix) || isHidden(path)) continue;
    if (isPictureName(path)) paths.push(path);
    else if (!BESIDE.test(path)) {
      const head =
        looked++ < LOOKED_INTO
          ? await files.size(path).then((size) => files.read(path, 0, Math.min(size, HEAD)))
          : new Uint8Array(0);
      if (probeImage(head) !== null || foreignKind(head, '') !== null) paths.push(path);
      else others.push(path);
    }
  }
  if (others.length === 0) return { paths, problems: [] };
  const many = others.length > 1;
  return {
    paths,
    problems: [
      {
        severity: 'warning',
        item: others[0]!,
        message: `${others.length} ${many ? 'files are no pictures and are' : 'file is no picture and is'} left out: ${namesOf(others)}.`,
      },
    ],
  };
}
