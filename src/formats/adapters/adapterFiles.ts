/** @file One door to all adapter files: writes each format, tells what it loses, and finds out what a file is when it reads one. */
import type { ToolFormat } from '#src/oft/modules/types.ts';
import type { Tool } from '#src/oft/modules/readers.ts';
import { nameLosses } from '#src/oft/modules/verdict.ts';
import type { WholeValues } from '#src/oft/rotation/parameters.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import type { AdapterFormat } from './adapterFormat.ts';
import type { AdapterFile, AdapterInput, WrittenAdapter, WrittenFile } from './adapterTypes.ts';
import { comfyuiFit, writeComfyui } from './lycoris/comfyui.ts';
import { diffFit, readDiff, writeDiff } from './lycoris/diff.ts';
import { FormatError, Misfit } from '../errors.ts';
import type { Fit } from './fit.ts';
import { foreignMessage } from './foreignAdapters.ts';
import { lycorisFit, writeLycoris } from './lycoris/lycoris.ts';
import { readLycoris } from './lycoris/lycorisRead.ts';
import { mergedFit, mergedHalfFit, writeMergedOnnx } from '../onnx/mergedOnnx.ts';
import { oftRFit, readOftR, writeOftR } from './kohya/oftR.ts';
import { configName, modelName, moduleOf, peftFit, writePeft } from './peft/peft.ts';
import { parsePeftConfig, readPeft } from './peft/peftRead.ts';
import { readSafetensors, type Safetensors } from '../files/safetensors.ts';
import { isSplit } from './kohya/splitBlocks.ts';
import { isZip, unzipFiles } from '../files/zip.ts';

export type { AdapterFile, AdapterInput, MergeOptions, WrittenAdapter, WrittenFile } from './adapterTypes.ts';
export type { Fit, Obstacle } from './fit.ts';

type Named = Pick<WholeValues, 'name'>;

const fits: Readonly<Record<AdapterFormat, (planned: readonly PlannedLayer[]) => Fit>> = {
  lycoris: lycorisFit,
  comfyui: comfyuiFit,
  peft: peftFit,
  oft_r: oftRFit,
  diff: diffFit,
  onnx: mergedFit,
  onnx_fp16: mergedHalfFit,
};

/** Whose file a format is: layers that they do not look for are lost to them. */
const readers: Readonly<Partial<Record<AdapterFormat, readonly Tool[]>>> = {
  lycoris: ['LyCORIS'],
  comfyui: ['ComfyUI', 'A1111 / Forge'],
  peft: ['PEFT'],
  oft_r: ['OneTrainer', 'kohya sd-scripts'],
};

/**
 * Whether the format can hold the adapter (obstacles, each with the change that helps), and what it loses. Throws nothing.
 * @param whole constants that were trained as they are: a new last layer
 */
export function adapterFit(
  format: AdapterFormat,
  planned: readonly PlannedLayer[],
  whole: readonly Named[] = [],
): Fit {
  const { obstacles, losses } = fits[format](planned);
  const unseen = (readers[format] ?? []).flatMap((tool) => nameLosses(tool, format as ToolFormat, planned));
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
  const names = whole.map((w) => w.name).join(', ');
  if (whole.length === 0 || format.startsWith('onnx')) return [];
  if (format === 'peft') {
    const left = whole.filter((w) => !moduleOf(w)).map((w) => w.name);
    return left.length === 0
      ? []
      : [
          `${left.join(', ')}, the new last layer, has no module's name in the model's file, so PEFT's cannot hold it: keep the merged model too.`,
        ];
  }
  return [
    `The new last layer (${names}) is in no file of this kind: keep the merged model, or PEFT's folder, too.`,
  ];
}

const fileName = 'adapter.safetensors';

/**
 * The adapter's files in a format. LyCORIS and its relatives: one safetensors file; PEFT: a folder's two; ONNX: the whole model.
 * @throws FormatError where the format cannot hold the adapter, naming the change that helps; ModelError for the model to merge into.
 */
export async function writeAdapter(format: AdapterFormat, input: AdapterInput): Promise<WrittenAdapter> {
  const { layers, meta, whole = [] } = input;
  if (layers.length === 0) throw new FormatError('There is no adapted layer to save. Train one first.');
  const files = await write(format, input);
  const planned = layers.map((l) => l.layer);
  const left = format === 'peft' || format === 'oft_r' ? planned.filter((p) => p.size > 1) : planned;
  const losses = adapterLosses(format, planned, whole);
  return { files, losses, layers: left.length };

  async function write(kind: AdapterFormat, { weight, model, others }: AdapterInput): Promise<WrittenFile[]> {
    switch (kind) {
      case 'lycoris':
        return [{ path: fileName, bytes: await writeLycoris(layers, meta) }];
      case 'comfyui':
        return [{ path: fileName, bytes: await writeComfyui(layers, meta) }];
      case 'oft_r':
        return [{ path: fileName, bytes: await writeOftR(layers, meta) }];
      case 'peft':
        return writePeft(layers, {
          ...(meta?.baseModel !== undefined && { baseModel: meta.baseModel }),
          ...(others && { others }),
          whole,
        });
      case 'diff':
        if (!weight)
          throw new FormatError(
            'Weight differences need the model’s weights, which were not given. Open the model again.',
          );
        return [{ path: fileName, bytes: await writeDiff(layers, weight, meta) }];
      case 'onnx':
      case 'onnx_fp16':
        if (!model) throw new FormatError('Merging needs the model, which was not given. Open it again.');
        return writeMergedOnnx(layers, kind === 'onnx' ? model : { ...model, precision: 'float16' }, whole);
    }
  }
}

/** The file of a folder by its name, in whatever subfolder. */
const byName = (files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array | undefined =>
  files.get(name) ?? [...files].find(([path]) => path.endsWith(`/${name}`))?.[1];

/**
 * Reads an adapter of any tool for a model's layers: a safetensors file (LyCORIS, ComfyUI, kohya, OneTrainer, sd-scripts), or a PEFT folder, or
 * either in a ZIP archive. What it is follows from its keys.
 *
 * @param files by path, as picked
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
  const [only] = files.size === 1 ? [...files.values()] : [];
  if (only && isZip(only)) return read(withoutZip(unzipFiles(only)), layers);
  const config = byName(files, configName);
  const weights = byName(files, modelName) ?? weightsOf(files);
  const parsed = config ? parsePeftConfig(config) : null;
  const file = withKnownEnds(readSafetensors(weights));
  const keys = [...file.tensors.keys()];
  const has = (end: string): boolean => keys.some((key) => key.endsWith(end));
  if (has('.oft_blocks') || keys.some(isSplit)) return { format: 'lycoris', ...readLycoris(file, layers) };
  if (keys.some((key) => /\.oft_(embedding_)?R\.([^.]+\.)?weight$/.test(key)))
    return parsed || keys.some((key) => key.startsWith('base_model.'))
      ? readPeft(file, parsed, layers)
      : readOftR(file, layers);
  const foreign = foreignMessage(keys);
  if (foreign !== undefined) throw new FormatError(foreign);
  if (has('.diff')) return readDiff(file, layers);
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

/** An archive's files, of which none is an archive again. */
function withoutZip(files: Map<string, Uint8Array>): Map<string, Uint8Array> {
  if (files.size === 1 && [...files.values()].some(isZip))
    throw new FormatError('The ZIP archive holds another ZIP archive. Unpack it first.');
  return files;
}

/** The one file that holds tensors. */
function weightsOf(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const safe = [...files].filter(([path]) => path.endsWith('.safetensors'));
  if (safe.length === 1) return safe[0]![1];
  if (safe.length > 1)
    throw new FormatError(
      `There are several safetensors files (${safe.map(([path]) => path).join(', ')}). Choose the adapter's.`,
    );
  const [path, bytes] = [...files][0] ?? ['', new Uint8Array()];
  if (/\.(bin|pt|pth|ckpt)$/.test(path))
    throw new FormatError(
      `${path} is a Python pickle, which can run code when it is read. Save the adapter as safetensors (PEFT: safe_serialization=True).`,
    );
  if (path.endsWith('.onnx'))
    throw new FormatError(`${path} is a whole model. Open it as the model, not as an adapter.`);
  if (files.size !== 1)
    throw new FormatError(
      'There is no safetensors file among the chosen ones. Choose the adapter’s file or folder.',
    );
  return bytes;
}
