/** @file Diag-OFT adapters as LyCORIS stores them: `{prefix}_{module path with _}` + `.oft_blocks` [n,b,b], `.rescale` [out,1…], `.alpha` []. */
import type { LayerParameters } from '#src/oft/parameters.ts';
import { defaultSettings, plannedLayer } from '#src/oft/planned.ts';
import type { Layer } from '#src/oft/types.ts';
import { numbersOf, sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { FormatError } from './errors.ts';
import { toFloat32 } from './floats.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

/** What stands before the module path. `lycoris`: the LyCORIS wrapper's own default, also read by ComfyUI; the rest: kohya's. */
export const prefixes = ['lycoris', 'lora_unet', 'lora_te', 'lora_te1', 'lora_te2'] as const;
export type Prefix = (typeof prefixes)[number];

export interface LycorisMeta {
  readonly prefix?: Prefix;
  /** What was asked as `lora_dim`; without it, the largest block size. */
  readonly dim?: number;
  /** SHA-256 of the model's file, in hexadecimal. */
  readonly modelHash?: string;
  /** `ss_base_model_version`: what the adapter was made for. */
  readonly baseModel?: string;
  /** The job as text, so that the file says how it was made. */
  readonly job?: string;
}

const flatName = (prefix: string, path: string): string => `${prefix}_${path.replaceAll('.', '_')}`;

/** Key stem by layer. Throws FormatError where two paths flatten to one name. */
function names(prefix: string, layers: readonly Layer[]): Map<string, Layer> {
  const stems = new Map<string, Layer>();
  for (const layer of layers) {
    const stem = flatName(prefix, layer.path);
    const other = stems.get(stem);
    if (other)
      throw new FormatError(
        `LyCORIS has one name, ${stem}, for two layers: ${other.path} and ${layer.path}. Skip one of them by a rule.`,
      );
    stems.set(stem, layer);
  }
  return stems;
}

const f32 = (shape: readonly number[], data: Float32Array): Tensor => ({ type: 'float32', shape, data });

/**
 * An adapter as a LyCORIS safetensors file, F32. `.alpha` holds the constraint (LyCORIS clamps ‖Q‖_F to alpha·out; 0: off).
 * `sshs_model_hash` is LyCORIS's: SHA-256 over the tensors' bytes, layer by layer in the order given, blocks, rescale, alpha.
 *
 * @throws FormatError where lengths do not fit, or two layers would get one name.
 */
export async function writeLycoris(
  layers: readonly LayerParameters[],
  meta: LycorisMeta = {},
): Promise<Uint8Array> {
  const prefix = meta.prefix ?? 'lycoris';
  names(
    prefix,
    layers.map((l) => l.layer.layer),
  );
  const tensors = new Map<string, Tensor>();
  for (const { layer: planned, blocks, rescale } of layers) {
    const stem = flatName(prefix, planned.layer.path);
    const { count, size, layer } = planned;
    if (blocks.length !== count * size * size)
      throw new FormatError(
        `${layer.path}: ${count} blocks of ${size}×${size} take ${count * size * size} numbers, ${blocks.length} were given.`,
      );
    tensors.set(`${stem}.oft_blocks`, f32([count, size, size], blocks));
    if (rescale) {
      if (rescale.length !== layer.out)
        throw new FormatError(
          `${layer.path}: rescale takes ${layer.out} numbers, ${rescale.length} were given.`,
        );
      tensors.set(`${stem}.rescale`, f32([layer.out, 1, ...layer.kernel.map(() => 1)], rescale));
    }
    tensors.set(`${stem}.alpha`, tensor('float32', [], [planned.constraint]));
  }
  const planned = layers.map((l) => l.layer);
  const args: Record<string, string> = { algo: 'diag-oft', preset: 'full' };
  const constraint = Math.max(0, ...planned.map((p) => p.constraint));
  if (constraint > 0) args.constraint = String(constraint);
  if (planned.some((p) => p.rescale)) args.rescaled = 'True';
  const metadata = new Map<string, string>();
  if (meta.job !== undefined) metadata.set('rotune_job', meta.job);
  if (meta.modelHash !== undefined) metadata.set('rotune_model_sha256', meta.modelHash);
  if (meta.baseModel !== undefined) metadata.set('ss_base_model_version', meta.baseModel);
  // Diag-OFT has no LoRA alpha; 1 is what kohya records where none was set. The constraint is in args and in `.alpha`.
  metadata.set('ss_network_alpha', '1');
  metadata.set('ss_network_args', pythonJson(args));
  metadata.set('ss_network_dim', String(meta.dim ?? Math.max(1, ...planned.map((p) => p.size))));
  metadata.set('ss_network_module', 'lycoris.kohya');
  metadata.set('sshs_model_hash', await tensorHash(tensors.values()));
  return writeSafetensors(tensors, metadata);
}

/** As Python's json.dumps spaces it. */
const pythonJson = (args: Readonly<Record<string, string>>): string =>
  `{${Object.entries(args)
    .map(([k, v]) => `${JSON.stringify(k)}: ${JSON.stringify(v)}`)
    .join(', ')}}`;

/** LyCORIS's `precalculate_safetensors_hashes`. */
async function tensorHash(tensors: Iterable<Tensor>): Promise<string> {
  const parts = [...tensors].map((t) => new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength));
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', all));
  return `0x${Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('')}`;
}

export interface LycorisFile {
  readonly prefix: Prefix;
  /** In the order of the layers asked for; those that the file lacks are left out. Block layout and constraint are the file's. */
  readonly layers: readonly LayerParameters[];
  /** Keys that a complete file would have. */
  readonly missing: readonly string[];
  /** Keys that belong to no layer of this model. */
  readonly unexpected: readonly string[];
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads a LyCORIS Diag-OFT file for a model's layers. The prefix is found from the keys.
 *
 * @throws FormatError where the file is damaged, holds another kind of adapter, fits no layer at all, or a shape does not fit.
 */
export function readLycoris(bytes: Uint8Array, layers: readonly Layer[]): LycorisFile {
  const { tensors, metadata } = readSafetensors(bytes);
  const hits = (p: Prefix): number => {
    const stems = names(p, layers);
    return [...tensors.keys()].filter((key) => stems.has(key.slice(0, key.lastIndexOf('.')))).length;
  };
  const scored = prefixes.map((prefix) => ({ prefix, count: hits(prefix) }));
  const best = scored.reduce((a, b) => (b.count > a.count ? b : a));
  if (best.count === 0) {
    const example = tensors.keys().next().value;
    throw new FormatError(
      example === undefined
        ? 'The adapter file holds no tensors.'
        : `No key of the adapter belongs to a layer of this model: the file has ${example}, the model ${layers.length === 0 ? 'no layer to adapt' : flatName('lycoris', layers[0]!.path)}. It was made for another model, or in another format.`,
    );
  }
  const prefix = best.prefix;
  const used = new Set<string>();
  const missing: string[] = [];
  const found: LayerParameters[] = [];
  const take = (key: string): Tensor | undefined => {
    const t = tensors.get(key);
    if (t) used.add(key);
    return t;
  };
  for (const [stem, layer] of names(prefix, layers)) {
    const blocks = take(`${stem}.oft_blocks`);
    const alpha = take(`${stem}.alpha`);
    const rescale = take(`${stem}.rescale`);
    if (!alpha) missing.push(`${stem}.alpha`);
    if (blocks) found.push(parameters(stem, layer, blocks, alpha, rescale));
    else {
      missing.push(`${stem}.oft_blocks`);
      if (rescale || alpha)
        throw new FormatError(
          `${stem} has ${alpha ? '.alpha' : '.rescale'} but no .oft_blocks: it is not a Diag-OFT adapter.`,
        );
    }
  }
  const unexpected = [...tensors.keys()].filter((key) => !used.has(key));
  return { prefix, layers: found, missing, unexpected, metadata };
}

/** Checks shapes that LyCORIS itself would broadcast in silence, and makes numbers of the tensors. */
function parameters(
  stem: string,
  layer: Layer,
  blocks: Tensor,
  alpha: Tensor | undefined,
  rescale: Tensor | undefined,
): LayerParameters {
  const shape = `[${blocks.shape.join()}]`;
  if (blocks.shape.length === 4)
    throw new FormatError(
      `${stem}.oft_blocks has shape ${shape}: four axes mean BOFT, which is not supported yet.`,
    );
  const [n = 0, b = 0, c] = blocks.shape;
  if (blocks.shape.length !== 3 || b !== c || n * b !== layer.out)
    throw new FormatError(
      `${stem}.oft_blocks has shape ${shape}, but ${layer.path} has ${layer.out} outputs: it takes [n,b,b] with n·b = ${layer.out}.`,
    );
  if (rescale && (rescale.shape[0] !== layer.out || sizeOf(rescale.shape) !== layer.out))
    throw new FormatError(
      `${stem}.rescale has shape [${rescale.shape.join()}], but ${layer.path} has ${layer.out} outputs.`,
    );
  if (alpha && sizeOf(alpha.shape) !== 1)
    throw new FormatError(`${stem}.alpha has shape [${alpha.shape.join()}]; it is a single number.`);
  const constraint = alpha
    ? alpha.type.startsWith('int')
      ? numbersOf(alpha)[0]!
      : toFloat32(alpha, `${stem}.alpha`)[0]!
    : 0;
  if (!(constraint >= 0 && Number.isFinite(constraint)))
    throw new FormatError(`${stem}.alpha is ${constraint}; it takes 0 (no constraint) or a positive number.`);
  const planned = plannedLayer(
    layer,
    { ...defaultSettings, blocks: { size: b }, constraint, rescale: rescale !== undefined },
    { count: n, size: b },
  );
  return {
    layer: planned,
    blocks: toFloat32(blocks, `${stem}.oft_blocks`),
    ...(rescale && { rescale: toFloat32(rescale, `${stem}.rescale`) }),
  };
}
