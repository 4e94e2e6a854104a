/** @file What `npm run tune` uses of the project's own code, in Node. */
import { inFull, PlainError } from '#src/platform/refusals.ts';
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { adapterFit } from '#src/formats/adapters/adapterFiles.ts';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import { importPlan, type ImportedPlan } from '#src/formats/plans/importPlan.ts';
import { inputValues } from '#src/formats/jobs/inputValues.ts';
import { jobFromTable, NO_DATA, rebased } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { contactSheet, encodePng, type Raster } from '#src/formats/files/png.ts';
import { isPresetName, presetNames, presetPlan } from '#src/formats/plans/presets.ts';
import { fromToml } from '#src/formats/files/toml.ts';
import { unzipFiles } from '#src/formats/files/zip.ts';
import type { PlannedLayer } from '#src/oft/types.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import type { Unsaveable } from '#workers/protocol.ts';

export { FROM_FLOAT, leftWords, roundedWords } from '#src/app/words/rounded.ts';
export { changesOf, differenceWords } from '#src/training/means.ts';
export { inputsOf } from './inputs.ts';

/** Folders or single files on disk that stand behind the names in a job. */
export type Folders = Partial<Record<'model' | 'train' | 'heldout' | 'adapter', string>>;

export interface JobOnDisk {
  readonly job: Job;
  readonly folders: Folders;
  /** What another tool's plan could not bring along. */
  readonly notes: readonly string[];
}

/** What the command line changes of a job. Paths are absolute. */
export interface Changes {
  /** Whose built-in example is the job, where no file is given. */
  readonly task?: string | null;
  /** Replaces train.steps before what depends on it is filled in (the default warm-up). */
  readonly steps?: number | null;
  /** Replaces train.quantise. */
  readonly quantise?: Job['train']['quantise'] | null;
  /** A plan of Rotune or another tool. */
  readonly plan?: string | null;
  readonly preset?: string | null;
  readonly root?: string | null;
  readonly adapter?: string | null;
  /** Values of inputs, NAME=VALUE each: beside the job's, or in their place. */
  readonly set?: readonly string[];
}

/** Bad input, in one line. */
export class BadJob extends PlainError {
  override readonly name = 'BadJob';
}

/** Why there is nothing at a path: no such file, or a link that leads nowhere. */
function absent(path: string): string {
  const link = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
  return link
    ? `${path} is a link to ${readlinkSync(path)}, which is not there; restore that file, or name another`
    : `there is no file or folder ${path}; check the name`;
}

function textAt(path: string): string {
  if (!existsSync(path)) throw new BadJob(`${path}: ${absent(path)}`);
  if (!statSync(path).isFile()) throw new BadJob(`${path} is a folder; name the job's TOML file`);
  return readFileSync(path, 'utf8');
}

function place(job: string, key: string, name: string): string | undefined {
  if (name.startsWith('builtin:')) return undefined;
  const path = resolve(dirname(job), name);
  if (!existsSync(path)) throw new BadJob(`${job}: ${key}: ${absent(path)}`);
  return path;
}

/** A line that names the file. */
const within = (path: string | null, cause: unknown): unknown =>
  cause instanceof PlainError && !(cause instanceof BadJob)
    ? new BadJob(`${path === null ? '' : `${basename(path)}: `}${inFull(cause)}`)
    : cause;

/** A built-in example as a job's table. Throws BadJob that lists the tasks. */
function exampleOf(task: string | null): Record<string, unknown> {
  if (task === null) return {};
  if (!taskInfos.some(({ id }) => id === task))
    throw new BadJob(
      `--task: there is no task "${task}"; there are ${taskInfos.map(({ id }) => id).join(', ')}`,
    );
  return { task };
}

function jobAt(path: string | null, { steps = null, task = null, quantise = null }: Changes): Job {
  try {
    const made = (table: unknown): Job => {
      const input = table as Record<string, unknown>;
      const changed = { ...(steps !== null && { steps }), ...(quantise !== null && { quantise }) };
      if (Object.keys(changed).length === 0) return jobFromTable(input);
      const train = typeof input.train === 'object' ? input.train : {};
      return jobFromTable({ ...input, train: { ...train, ...changed } });
    };
    return path === null ? made(exampleOf(task)) : fromToml(textAt(path), made);
  } catch (cause) {
    throw within(path, cause);
  }
}

/** Whether a path is a file, or a link to one, as caches of downloads hold them. */
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** The plan that stands in for the job's; null: none does. */
function planAt({ plan = null, preset = null }: Changes): ImportedPlan | null {
  if (preset !== null) {
    if (isPresetName(preset)) return { plan: presetPlan(preset), notes: [] };
    throw new BadJob(`--preset: there is no preset "${preset}"; there are ${presetNames.join(', ')}`);
  }
  if (plan === null) return null;
  if (!isFile(plan))
    throw new BadJob(
      `--plan: ${existsSync(plan) ? `${plan} is a folder; name the plan's file` : absent(plan)}`,
    );
  try {
    return importPlan(readFileSync(plan, 'utf8'), basename(plan));
  } catch (cause) {
    throw within(plan, cause);
  }
}

/**
 * Reads a job file, or takes a task's built-in example for null (without a task: the demo).
 *
 * @throws BadJob or the reader's own errors: one line that names the file and the key
 */
export function readJob(path: string | null, changes: Changes = {}): JobOnDisk {
  const read = jobAt(path, changes);
  const imported = planAt(changes);
  const adapter = changes.adapter ?? null;
  const set = inputValues(changes.set ?? [], (words) => new BadJob(words));
  const planned = imported ? rebased({ ...read, plan: imported.plan }, read) : read;
  const job: Job = {
    ...planned,
    ...(changes.root != null && { plan: { ...planned.plan, root: changes.root } }),
    ...(Object.keys(set).length > 0 && { inputs: { ...read.inputs, ...set } }),
    ...(adapter !== null && { adapter: basename(adapter) }),
  };
  const folders: Folders = {};
  const named = [
    ['model', 'model', read.model],
    ['train', 'data.train', read.data.train],
    ['heldout', 'data.heldout', read.data.heldout],
  ] as const;
  if (path !== null)
    for (const [role, key, name] of named) {
      const found = name === null ? undefined : place(path, key, name);
      if (found !== undefined) folders[role] = found;
    }
  if (read.data.train === NO_DATA)
    throw new BadJob(
      `${path ?? 'The job'}: data.train: no data were chosen. Name a folder or file of training data.`,
    );
  const start =
    adapter ?? (path !== null && read.adapter !== undefined ? resolve(dirname(path), read.adapter) : null);
  if (start !== null) {
    if (!existsSync(start))
      throw new BadJob(`${adapter === null ? `${path}: adapter` : '--adapter'}: ${absent(start)}`);
    folders.adapter = start;
  }
  return { job, folders, notes: imported?.notes ?? [] };
}

/**
 * The kinds of file that the adapter will be saved as: those asked for, else the first that can hold it. Models other than diffusion's run on
 * their own, so they are merged, too, where they can be.
 * @param unsaveable what the writers themselves refused for this model
 * @returns and what is left out of the usual, with the reason. Throws BadJob where a kind that was asked for cannot be had.
 */
export function formatsFor(
  asked: readonly AdapterFormat[] | null,
  planned: readonly PlannedLayer[],
  task: string,
  unsaveable: readonly Unsaveable[] = [],
): { readonly formats: readonly AdapterFormat[]; readonly notes: readonly string[] } {
  const obstacle = (format: AdapterFormat): string | undefined => {
    const [found] = adapterFit(format, planned).obstacles;
    return found
      ? `${found.reason} ${found.cure}`
      : unsaveable.find((each) => each.format === format)?.reason;
  };
  for (const format of asked ?? []) {
    const found = obstacle(format);
    if (found !== undefined) throw new BadJob(`--format ${format}: ${found}`);
  }
  if (asked !== null) return { formats: asked, notes: [] };
  const usual = ['lycoris', 'peft', 'oft_r', 'diff'] as const;
  const own = usual.find((format) => obstacle(format) === undefined) ?? 'diff';
  if (task === 'diffusion') return { formats: [own], notes: [] };
  const unmerged = obstacle('onnx');
  return unmerged === undefined
    ? { formats: [own, 'onnx'], notes: [] }
    : { formats: [own], notes: [`No merged.onnx will be written: ${unmerged}`] };
}

export { publicJobText } from '#src/formats/jobs/publicJob.ts';

/** The files of a ZIP archive by path. */
export const unzip = (bytes: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> => unzipFiles(bytes);

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
