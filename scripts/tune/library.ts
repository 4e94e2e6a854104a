/** @file What `npm run tune` uses of the project's own code, in Node. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { defaultJob, jobFromTable } from '#src/formats/job.ts';
import type { Job } from '#src/formats/jobTypes.ts';
import { contactSheet, encodePng, type Raster } from '#src/formats/png.ts';
import { parseToml } from '#src/formats/toml.ts';

/** Folders on disk that stand behind the names in a job. */
export type Folders = Partial<Record<'model' | 'train' | 'heldout', string>>;

export interface JobOnDisk {
  readonly job: Job;
  readonly folders: Folders;
}

/** Bad input, in one line. */
export class BadJob extends Error {
  override readonly name = 'BadJob';
}

function table(path: string): Record<string, unknown> {
  if (!existsSync(path)) throw new BadJob(`${path}: there is no such file`);
  if (!statSync(path).isFile()) throw new BadJob(`${path} is a folder; a job is a TOML file`);
  return parseToml(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

function folder(job: string, key: string, name: string): string | undefined {
  if (name.startsWith('builtin:')) return undefined;
  const path = resolve(dirname(job), name);
  if (!existsSync(path)) throw new BadJob(`${job}: ${key}: there is no folder ${path}`);
  if (!statSync(path).isDirectory()) throw new BadJob(`${job}: ${key}: ${path} is not a folder`);
  return path;
}

/**
 * Reads a job file, or takes the built-in job for null.
 *
 * @param steps replaces train.steps before what depends on it is filled in (the default warm-up)
 * @throws BadJob or the reader's own errors: one line that names the file and the key
 */
export function readJob(path: string | null, steps: number | null): JobOnDisk {
  let job;
  try {
    const input = path === null ? {} : table(path);
    const train = typeof input.train === 'object' ? input.train : {};
    job =
      path === null && steps === null
        ? defaultJob
        : jobFromTable(steps === null ? input : { ...input, train: { ...train, steps } });
  } catch (cause) {
    if (cause instanceof BadJob) throw cause;
    throw new BadJob(
      `${path === null ? '' : `${basename(path)}: `}${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  if (path === null) return { job, folders: {} };
  const folders: Folders = {};
  const named = [
    ['model', 'model', job.model],
    ['train', 'data.train', job.data.train],
    ['heldout', 'data.heldout', job.data.heldout],
  ] as const;
  for (const [role, key, name] of named) {
    const found = name === null ? undefined : folder(path, key, name);
    if (found !== undefined) folders[role] = found;
  }
  return { job, folders };
}

/** The page's paper colour. */
const PAPER = [0xfa, 0xf8, 0xf4, 255] as const;

/** Pictures of one size side by side, eight in a row, small ones enlarged to about 128 pixels, as a PNG file. */
export function sheet(pictures: readonly Raster[]): Uint8Array {
  const side = Math.max(...pictures.map(({ width, height }) => Math.max(width, height)));
  const scale = Math.max(1, Math.floor(128 / side));
  return encodePng(
    contactSheet(pictures, { columns: Math.min(8, pictures.length), scale, gap: 8, background: PAPER }),
  );
}
