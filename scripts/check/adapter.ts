/** @file Adapter files for the command: reading them, describing them, and finding which key holds which layer's numbers. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type AdapterFile, readAdapter } from '#src/formats/adapters/adapterFiles.ts';
import { unpacked } from '#src/formats/files/zip.ts';
import { toFloat32 } from '#src/formats/files/floats.ts';
import { stemsIn } from '#src/formats/adapters/keyedTensors.ts';
import { resolveNames } from '#src/formats/adapters/names.ts';
import { readSafetensors } from '#src/formats/files/safetensors.ts';
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import { plannedLayer } from '#src/oft/plan/planned.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { UsageError } from './arguments.ts';
import type { Difference } from './differences.ts';
import { readBytes } from './files.ts';

type Tensors = ReadonlyMap<string, Tensor>;

export interface OpenedAdapter extends AdapterFile {
  readonly tensors: Tensors;
  /** The file's keys by layer path. */
  readonly keys: KeysByLayer;
  /** `differences` with their layers. */
  readonly given: readonly Difference[];
}

/** PEFT's weights say little without the configuration beside them. */
const PEFT_WEIGHTS = 'adapter_model.safetensors';
const PEFT_CONFIG = 'adapter_config.json';

/**
 * Reads an adapter of any kind; a folder's safetensors and JSON files count together.
 *
 * @param layersOf the model's layers, with its embeddings where the file adapts some
 * @throws FormatError or UsageError
 */
export async function openAdapter(
  path: string,
  layersOf: (embeddings: boolean) => readonly Layer[],
): Promise<OpenedAdapter> {
  const files = await unpacked(await adapterFiles(path));
  const tensors = new Map<string, Tensor>();
  for (const [name, bytes] of files)
    if (name.endsWith('.safetensors'))
      for (const [key, t] of readSafetensors(bytes).tensors) tensors.set(key, t);
  const layers = layersOf([...tensors.keys()].some((key) => key.includes('.oft_embedding_R.')));
  const adapter = readAdapter(files, layers);
  const given = layers.flatMap((layer): Difference[] => {
    const values = adapter.differences?.get(layer.path);
    return values ? [{ layer, values }] : [];
  });
  const keys = keysByLayer(tensors, layers);
  const stored = adapter.layers.map((l) => asStored(l, tensors, keys.get(l.layer.layer.path)?.blocks));
  return { ...adapter, layers: stored, tensors, keys, given };
}

async function adapterFiles(path: string): Promise<Map<string, Uint8Array>> {
  const there = await stat(path).catch(() => undefined);
  const folder = there?.isDirectory() ? path : dirname(path);
  let names: string[];
  if (there?.isDirectory()) {
    names = (await readdir(path)).filter((name) => /\.(safetensors|json)$/.test(name));
    if (!names.some((name) => name.endsWith('.safetensors')))
      throw new UsageError(
        `The adapter ${path} is a folder with no .safetensors file in it. Name the adapter's own folder or file.`,
      );
  } else {
    names = [basename(path)];
    const config = await stat(join(folder, PEFT_CONFIG)).catch(() => undefined);
    if (names[0] === PEFT_WEIGHTS && config?.isFile()) names.push(PEFT_CONFIG);
  }
  const files = new Map<string, Uint8Array>();
  for (const name of names) files.set(name, await readBytes(join(folder, name), 'The adapter'));
  return files;
}

const suffixes = {
  blocks: [
    'oft_blocks',
    'oft_R.weight',
    'oft_R.default.weight',
    'oft_embedding_R.weight',
    'oft_embedding_R.default.weight',
  ],
  rescale: ['rescale'],
  difference: ['diff'],
};
export type Stored = keyof typeof suffixes;
export type KeysByLayer = ReadonlyMap<string, Partial<Record<Stored, string>>>;

/** The file's own key of each of a layer's tensors, by layer path. */
function keysByLayer(tensors: Tensors, layers: readonly Layer[]): KeysByLayer {
  const { stems } = resolveNames(stemsIn(tensors.keys(), Object.values(suffixes).flat()), layers);
  return new Map(
    [...stems].map(([layer, stem]) => [
      layer.path,
      Object.fromEntries(
        Object.entries(suffixes).flatMap(([stored, ends]) => {
          const end = ends.find((e) => tensors.has(`${stem}.${e}`));
          return end === undefined ? [] : [[stored, `${stem}.${end}`]];
        }),
      ),
    ]),
  );
}

/**
 * A layer in the file's own numbers. Reading takes BOFT whose further stages are zero, and ComfyUI's encoding of Diag-OFT as one stage, for
 * what they mean; gradients are wanted of all that is stored.
 */
function asStored(parameters: LayerParameters, tensors: Tensors, key: string | undefined): LayerParameters {
  const { layer: planned } = parameters;
  const t = key === undefined ? undefined : tensors.get(key);
  if (t?.shape.length !== 4) return parameters;
  const [stages, count, size] = t.shape as [number, number, number];
  const blocks = { size, stages };
  const settings = { ...planned, algorithm: 'boft', blocks } as const;
  return {
    ...parameters,
    layer: plannedLayer(planned.layer, settings, { count, size, stages }),
    blocks: toFloat32(t, key!),
  };
}

/**
 * The gradient with respect to a layer's blocks in the file's numbers where reading scaled them: oft_R turns convolutions the other way,
 * and OneTrainer's may be scaled by 1/(2√(b − 1)).
 */
export function inFileNumbers(
  { format, tensors }: OpenedAdapter,
  key: string,
  { layer, size }: PlannedLayer,
  gradient: Float32Array,
): Float32Array {
  if (format !== 'oft_r') return gradient;
  const scaled = tensors.has(key.replace(/weight$/, 'scaled_oft'));
  const factor = (layer.kind === 'conv' ? -1 : 1) / (scaled ? 2 * Math.sqrt(size - 1) : 1);
  return gradient.map((x) => factor * x);
}

export function adapterSummary(adapter: OpenedAdapter, strength: number): object {
  const { format, layers, differences, missing, unexpected, notes } = adapter;
  return { format, layers: layers.length || (differences?.size ?? 0), strength, missing, unexpected, notes };
}

const names: Record<AdapterFile['format'], string> = {
  lycoris: 'LyCORIS',
  comfyui: 'LyCORIS as ComfyUI and A1111 read it',
  peft: 'PEFT',
  oft_r: 'oft_R (OneTrainer, sd-scripts)',
  diff: 'weight differences',
  onnx: 'merged model',
  onnx_fp16: 'merged model',
};

export function describeAdapter(adapter: OpenedAdapter, strength: number): string {
  const { format, layers, differences, missing, unexpected, notes } = adapter;
  const count = layers.length || (differences?.size ?? 0);
  const lines = [`adapter: ${names[format]}, ${count} layers, strength ${strength}`];
  if (missing.length > 0) lines.push(`  the file lacks ${some(missing)}`);
  if (unexpected.length > 0) lines.push(`  the model has no layer for ${some(unexpected)}`);
  for (const note of notes) lines.push(`  ${note}`);
  return lines.join('\n');
}

/** The first few; `--json` has all. */
const some = (keys: readonly string[]): string =>
  keys.length <= 4 ? keys.join(', ') : `${keys.slice(0, 3).join(', ')} and ${keys.length - 3} more`;
