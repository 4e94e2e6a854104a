/** @file One door to all adapter files: writes each kind, tells what it loses, and finds out what a file is when it reads one. */
import { placed } from '#src/platform/refusals.ts';
import { notWhat, seenIn } from '#src/platform/sniff.ts';
import type { ToolFormat } from '#src/oft/modules/types.ts';
import { nameLosses } from '#src/oft/modules/verdict.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import { FormatError, Misfit } from '../errors.ts';
import { readSafetensors, type Safetensors } from '../files/safetensors.ts';
import { isZip } from '../files/isZip.ts';
import type { AdapterFormat } from './adapterFormat.ts';
import type { AdapterInput, ReadAdapter, WrittenAdapter } from './adapterTypes.ts';
import type { Fit } from './fit.ts';
import { foreignMessage } from './foreignAdapters.ts';
import type { AdapterKind, Named, Unknown } from './kind.ts';
import * as kinds from './kinds.ts';
import { configName, modelName } from './peft/peft.ts';
import { parsePeftConfig } from './peft/peftRead.ts';

export type { AdapterInput, MergeOptions, WrittenAdapter, WrittenFile } from './adapterTypes.ts';
export type { Fit, Obstacle } from './fit.ts';

/** A file, and what kind it was. */
export interface AdapterFile extends ReadAdapter {
  readonly format: AdapterFormat;
}

const all = Object.entries(kinds) as readonly (readonly [AdapterFormat, AdapterKind])[];

/** Every kind of file. */
export const adapterFormats: readonly AdapterFormat[] = all.map(([format]) => format);

export const adapterKind = (format: AdapterFormat): AdapterKind => kinds[format];

/**
 * Whether the format can hold the adapter (obstacles, each with the change that helps), and what it loses. Throws nothing.
 * @param whole constants that were trained as they are: a new last layer
 */
export function adapterFit(
  format: AdapterFormat,
  planned: readonly PlannedLayer[],
  whole: readonly Named[] = [],
): Fit {
  const { tools = [], fit } = adapterKind(format);
  const { obstacles, losses } = fit(planned);
  const unseen = tools.flatMap((tool) => nameLosses(tool, format as ToolFormat, planned));
  return { obstacles, losses: [...unseen, ...losses, ...headLosses(format, whole)] };
}

/** What the format loses, as plain sentences; if it cannot hold the adapter, why and what would help. Throws nothing. */
export function adapterLosses(
  format: AdapterFormat,
  planned: readonly PlannedLayer[],
  whole: readonly Named[] = [],
): string[] {
  const { obstacles, losses } = adapterFit(format, planned, whole);
  return obstacles.length > 0 ? obstacles.map((o) => `${o.reason} ${o.cure}`) : [...losses];
}

/** What becomes of weights that were trained as they are. */
export function headLosses(format: AdapterFormat, whole: readonly Named[]): string[] {
  if (whole.length === 0) return [];
  const { head } = adapterKind(format);
  if (head) return head(whole);
  const names = whole.map((w) => w.name).join(', ');
  return [
    `The new last layer (${names}) is in no file of this kind: keep the merged model, or PEFT's folder, too.`,
  ];
}

/**
 * The adapter's files in a format. LyCORIS and its relatives: one safetensors file; PEFT: a folder's two; ONNX: the whole model.
 * @throws FormatError where the format cannot hold the adapter, naming the change that helps; ModelError for the model to merge into.
 */
export async function writeAdapter(format: AdapterFormat, input: AdapterInput): Promise<WrittenAdapter> {
  const { layers, whole = [] } = input;
  if (layers.length === 0) throw new FormatError('There is no adapted layer to save. Train one first.');
  const { write, takes } = adapterKind(format);
  const files = await write(input);
  const planned = layers.map((l) => l.layer);
  const written = takes ? planned.filter(takes) : planned;
  return { files, losses: adapterLosses(format, planned, whole), layers: written.length };
}

/** The file of a folder by its name, in whatever subfolder. */
const named = (
  files: ReadonlyMap<string, Uint8Array>,
  name: string,
): readonly [string, Uint8Array] | undefined =>
  [...files].find(([path]) => path === name) ?? [...files].find(([path]) => path.endsWith(`/${name}`));

/** What to do with what is often taken for an adapter. */
const cures = {
  pickle: 'It can run code when it is read. Save the adapter as safetensors (PEFT: safe_serialization=True).',
  zip: 'Unpack it first, and choose the .safetensors file in it.',
};

/** The file's tensors; one that is something else is named with what it seems to be. */
function readWeights(path: string, bytes: Uint8Array): Safetensors {
  const seen = seenIn(bytes);
  if (seen && seen.kind !== 'safetensors') {
    const otherwise = 'Choose the adapter’s file: it ends in .safetensors.';
    throw new FormatError(...notWhat(path, bytes, 'an adapter', otherwise, cures)!);
  }
  try {
    return readSafetensors(bytes);
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(...placed(path, error)) : error;
  }
}

/**
 * Reads an adapter of any tool for a model's layers: a safetensors file (LyCORIS, ComfyUI, kohya, OneTrainer, sd-scripts), or a PEFT folder.
 * What it is follows from its keys.
 *
 * @param files by path, as picked; of an archive its files (`unpacked` in files/zip.ts)
 * @throws FormatError for anything else: what it is, and the way out.
 */
export function readAdapter(files: ReadonlyMap<string, Uint8Array>, layers: readonly Layer[]): AdapterFile {
  const file = read(files, layers);
  for (const { layer, blocks, rescale } of file.layers) demandFinite(layer.layer.path, blocks, rescale);
  for (const [path, difference] of file.differences ?? []) demandFinite(path, difference);
  return file;
}

function demandFinite(path: string, ...numbers: (Float32Array | undefined)[]): void {
  if (numbers.some((some) => some?.some((x) => !Number.isFinite(x))))
    throw new Misfit(
      `The adapter of ${path} holds numbers that are not finite: its training went wrong, or the file is damaged.`,
    );
}

function read(files: ReadonlyMap<string, Uint8Array>, layers: readonly Layer[]): AdapterFile {
  const [only] = files.size === 1 ? [...files] : [];
  if (only && isZip(only[1]))
    throw new FormatError(`The ZIP archive holds another ZIP archive, ${only[0]}. Unpack it first.`);
  const config = named(files, configName)?.[1];
  const [path, weights] = named(files, modelName) ?? weightsOf(files);
  const parsed = config ? parsePeftConfig(config) : null;
  const file = withKnownEnds(readWeights(path, weights));
  const keys = [...file.tensors.keys()];
  const unknown: Unknown = { file, keys, config: parsed };
  for (const [format, { recognises, read: readKind }] of all)
    if (readKind && recognises?.(unknown)) return { ...readKind(unknown, layers), format };
  const foreign = foreignMessage(keys);
  if (foreign !== undefined) throw new FormatError(foreign);
  if (keys.length === 0) throw new Misfit('The adapter file holds no tensors.');
  throw new FormatError(
    `The file is no adapter that is known: it has ${keys[0]!}. OFT adapters have keys that end in .oft_blocks (LyCORIS, ComfyUI, kohya) or .oft_R.weight (PEFT, OneTrainer).`,
  );
}

/** Some tools write names in capitals, ends and all. */
const withKnownEnds = ({ tensors, metadata }: Safetensors): Safetensors => ({
  metadata,
  tensors: new Map(
    [...tensors].map(([key, t]) => [
      key.replace(/\.(?:oft_blocks(?:\.\d+)?|alpha|rescale|diff(?:_b)?)$/i, (end) => end.toLowerCase()),
      t,
    ]),
  ),
});

/** The one file that holds tensors. */
function weightsOf(files: ReadonlyMap<string, Uint8Array>): readonly [string, Uint8Array] {
  const safe = [...files].filter(([path]) => path.endsWith('.safetensors'));
  if (safe.length === 1) return safe[0]!;
  if (safe.length > 1)
    throw new FormatError(
      `There are several safetensors files (${safe.map(([path]) => path).join(', ')}). Choose the adapter's.`,
    );
  const [path, bytes] = [...files][0] ?? ['', new Uint8Array()];
  const seen = seenIn(bytes);
  if (/\.(bin|pt|pth|ckpt)$/.test(path) && (!seen || seen.kind === 'pickle'))
    throw new FormatError(
      `${path} is a Python pickle, which can run code when it is read. Save the adapter as safetensors (PEFT: safe_serialization=True).`,
    );
  if (path.endsWith('.onnx'))
    throw new FormatError(`${path} is a whole model. Open it as the model, not as an adapter.`);
  if (files.size !== 1)
    throw new FormatError(
      'There is no safetensors file among the chosen ones. Choose the adapter’s file or folder.',
    );
  return [path, bytes];
}
