/** @file An adapter file as the start of a run, or to draw with: what it holds of this model, and how a plan goes on with it. */
import { MOST_ADAPTER, sizeWords } from '#src/platform/limits.ts';
import { type AdapterFile, readAdapter } from '#src/formats/adapters/adapterFiles.ts';
import { unpacked } from '#src/formats/files/zip.ts';
import { type LayerParameters } from '#src/oft/rotation/parameters.ts';
import { plannedLayer, settingsOf } from '#src/oft/plan/planned.ts';
import type { Decision } from '#src/oft/plan/types.ts';
import type { Layer, Plan, PlannedLayer } from '#src/oft/types.ts';
import { sha256 } from '#src/tasks/digest.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import type { AdapterReport } from '../../protocol.ts';

export interface Start {
  /** What people call the file. */
  readonly name: string;
  /** SHA-256 over the files' names and contents, hexadecimal. */
  readonly hash: string;
  readonly file: AdapterFile;
}

/** Reads an adapter of any tool for these layers. Throws FormatError or DataError: what the file is, and the way out. */
export async function readStart(files: FileSet, layers: readonly Layer[]): Promise<Start> {
  let total = 0;
  for (const path of files.paths) total += await files.size(path);
  if (total > MOST_ADAPTER)
    throw new DataError(
      `${files.name} has ${sizeWords(total)}, more than any adapter: up to ${sizeWords(MOST_ADAPTER)} are read. Choose the adapter's file or folder alone.`,
    );
  const read = new Map<string, Uint8Array>();
  const digests: string[] = [];
  for (const path of files.paths) {
    const bytes = await files.read(path);
    read.set(path, bytes);
    digests.push(`${path}\n${await sha256(bytes)}`);
  }
  const hash = await sha256(new TextEncoder().encode(digests.join('\n')));
  return { name: files.name, hash, file: readAdapter(await unpacked(read), layers) };
}

/** What the page is told of a file. */
export function reportOf({ file }: Start, notes: readonly string[] = []): AdapterReport {
  const { format, missing, unexpected } = file;
  return {
    format,
    loaded: file.differences?.size ?? file.layers.length,
    missing,
    unexpected,
    notes: [...file.notes, ...notes],
  };
}

export interface Continued {
  /** In the order of the network. */
  readonly planned: readonly PlannedLayer[];
  /** The plan's, with what the file decides in their place. */
  readonly decisions: readonly Decision[];
  /** The file's numbers by layer path. */
  readonly numbers: ReadonlyMap<string, LayerParameters>;
  readonly notes: readonly string[];
}

const blocksOf = (p: PlannedLayer): string =>
  `${p.stages > 1 ? `${p.stages} stages of ` : ''}${p.share ? 'shared ' : ''}${p.count} × ${p.size}, ${p.side} side`;

/** Whether two plans of a layer turn it by the same numbers. */
const alike = (a: PlannedLayer, b: PlannedLayer): boolean =>
  (
    [
      'side',
      'algorithm',
      'count',
      'size',
      'stages',
      'share',
      'parameters',
      'neumannTerms',
      'constraint',
      'rescale',
    ] as const
  ).every((key) => a[key] === b[key]) &&
  (a.constraint === 0 || a.clamp === b.clamp);

const some = (paths: readonly string[]): string =>
  paths.length > 3 ? `${paths.slice(0, 3).join(', ')} and ${paths.length - 3} more` : paths.join(', ');

const count = (n: number): string => `${n} ${n === 1 ? 'layer' : 'layers'}`;

/**
 * How a run goes on with a file. A layer that the file holds keeps the file's parametrisation (side, blocks, transform, constraint, rescale):
 * its numbers mean nothing under another. What concerns training alone (dropout, learning-rate scale) is the plan's, whether or not the
 * plan's own blocks would fit. A layer that the plan skips but the file holds stays as it is in the file, untrained; one that the file
 * lacks starts untouched, as planned.
 *
 * @param decisions on all of the model's layers, in the order of the network
 */
export function continueFrom(file: AdapterFile, decisions: readonly Decision[], plan: Plan): Continued {
  const numbers = new Map(file.layers.map((l) => [l.layer.layer.path, l]));
  const [changed, frozen, fresh]: [string[], string[], string[]] = [[], [], []];
  const planned: PlannedLayer[] = [];
  const decided = decisions.map((decision): Decision => {
    const { layer, rule, planned: wish } = decision;
    const given = numbers.get(layer.path)?.layer;
    if (!given) {
      if (wish) fresh.push(layer.path);
      if (wish) planned.push(wish);
      return decision;
    }
    const own = rule === null ? undefined : plan.rules[rule];
    if (own?.skip) {
      frozen.push(layer.path);
      const still = { ...given, moduleDropout: 0, rankDropout: 0, lrScale: 0 };
      planned.push(plannedLayer(layer, still, given, rule));
      return decision;
    }
    const { moduleDropout, rankDropout, lrScale } = settingsOf(plan, own);
    const goesOn = plannedLayer(layer, { ...given, moduleDropout, rankDropout, lrScale }, given, rule);
    planned.push(goesOn);
    if (!wish) changed.push(`${layer.path} (${blocksOf(given)})`);
    else if (!alike(given, wish))
      changed.push(`${layer.path} (${blocksOf(given)}; planned: ${blocksOf(wish)})`);
    return { layer, rule, planned: goesOn, notes: [] };
  });
  const notes: string[] = [];
  if (changed.length > 0)
    notes.push(
      `${count(changed.length)} ${changed.length === 1 ? 'goes' : 'go'} on with the blocks and settings of the file instead of the plan's: ${some(changed)}.`,
    );
  if (frozen.length > 0)
    notes.push(
      `${count(frozen.length)} that the plan leaves out ${frozen.length === 1 ? 'stays as it is' : 'stay as they are'} in the file: ${some(frozen)}.`,
    );
  if (fresh.length > 0)
    notes.push(
      `${count(fresh.length)} that the file does not hold ${fresh.length === 1 ? 'starts' : 'start'} untouched: ${some(fresh)}.`,
    );
  return { planned, decisions: decided, numbers, notes };
}

/** An adapter as the file has it, with nothing to be trained. */
export const asInFile = ({ layers }: AdapterFile): Pick<Continued, 'planned' | 'numbers'> => ({
  planned: layers.map((l) => l.layer),
  numbers: new Map(layers.map((l) => [l.layer.layer.path, l])),
});
