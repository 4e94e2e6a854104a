/** @file Reads OFT adapters of PEFT. */
import { quoted } from '#src/platform/quoted.ts';
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import { defaultSettings, peftSettings, plannedLayer, widthOf } from '#src/oft/plan/planned.ts';
import type { Layer, LayerSettings } from '#src/oft/types.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import type { ReadAdapter } from '../adapterTypes.ts';
import { triangleSize } from '../blockNumbers.ts';
import { FormatError, Misfit } from '../../errors.ts';
import { kernelSize } from '../fit.ts';
import { toFloat32 } from '../../files/floats.ts';
import { KeyedTensors } from '../keyedTensors.ts';
import { listed } from '../names.ts';
import { joinParts } from './peftParts.ts';
import type { Safetensors } from '../../files/safetensors.ts';

/** Blocks of a triangle tensor on the layer's fan-in, [n or 1 (shared), b(b−1)/2]. */
export interface TriangleBlocks {
  readonly count: number;
  readonly size: number;
  readonly share: boolean;
}

/** @throws FormatError where the shape fits no blocks of the layer. */
export function triangleBlocks(name: string, layer: Layer, { shape }: Tensor): TriangleBlocks {
  const width = widthOf(layer, 'input');
  const [rows = 0, numbers = 0] = shape;
  const size = shape.length === 2 ? triangleSize(numbers) : undefined;
  if (size === undefined || rows === 0 || width % size !== 0 || (rows !== 1 && rows * size !== width))
    throw new FormatError(
      `${name} has shape [${shape.join()}], but ${layer.path} has a width of ${width} there: it takes [n, b(b−1)/2] with n·b = ${width}, or [1, b(b−1)/2] for shared blocks.`,
    );
  return { count: width / size, size, share: rows === 1 && width > size };
}

/** What PEFT calls a layer's blocks. */
export const peftParameter = ({ kind }: Layer): string =>
  kind === 'embedding' ? 'oft_embedding_R' : 'oft_R';

/** adapter_config.json, as read. */
export type PeftConfig = Readonly<Record<string, unknown>>;

/** @throws FormatError where it is no config of PEFT's OFT. */
export function parsePeftConfig(bytes: Uint8Array): PeftConfig {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new FormatError('adapter_config.json is not JSON. Copy it again from where the adapter was made.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Misfit('adapter_config.json is not a JSON object.');
  const config = value as PeftConfig;
  const type = config.peft_type;
  if (type !== 'OFT')
    throw new FormatError(
      `adapter_config.json is of PEFT's type ${typeof type === 'string' ? type : 'unknown'}; only OFT can be loaded. Merge that adapter into the model in PEFT (merge_and_unload), export the model to ONNX, and open it here.`,
    );
  return config;
}

function settingsOf(config: PeftConfig): LayerSettings {
  const number = (key: string, fallback: number, fits: (x: number) => boolean): number => {
    const x = config[key] ?? fallback;
    if (typeof x !== 'number' || !fits(x))
      throw new FormatError(
        `adapter_config.json: ${key} is ${quoted(x)}, which PEFT does not write. Copy it again from where the adapter was made.`,
      );
    return x;
  };
  const flag = (key: string, fallback: boolean): boolean => {
    const x = config[key] ?? fallback;
    if (typeof x !== 'boolean')
      throw new FormatError(`adapter_config.json: ${key} is ${quoted(x)}; it is true or false.`);
    return x;
  };
  const terms = number('num_cayley_neumann_terms', 5, (x) => Number.isInteger(x) && x >= 1 && x <= 1000);
  const eps = number('eps', 6e-5, (x) => x > 0);
  return {
    ...peftSettings,
    neumannTerms: flag('use_cayley_neumann', true) ? terms : null,
    constraint: flag('coft', false) ? eps : 0,
    rankDropout: number('module_dropout', 0, (x) => x >= 0 && x < 1),
  };
}

/**
 * Reads adapter_model.safetensors for a model's layers. Block layout comes from the tensors: PEFT's config keeps the number that was
 * asked, not the one that it snapped to.
 * @param config null: there is none; PEFT's defaults are taken.
 * @throws FormatError where a shape does not fit, or no layer is found.
 */
export function readPeft(
  file: Safetensors,
  config: PeftConfig | null,
  layers: readonly Layer[],
): ReadAdapter {
  const { metadata } = file;
  // PEFT leaves the adapter's name out when it saves; a state dict taken by hand has it.
  const tensors = new Map(
    [...file.tensors].map(([key, t]) => [
      key.replace(/\.(oft_(?:embedding_)?R)\.default\.weight$/, '.$1.weight'),
      t,
    ]),
  );
  const keyed = new KeyedTensors(
    joinParts(tensors, layers),
    ['oft_R.weight', 'oft_embedding_R.weight'],
    layers,
  );
  const settings = config ? settingsOf(config) : { ...peftSettings, blocks: defaultSettings.blocks };
  const found: LayerParameters[] = [];
  for (const [layer, stem] of keyed.names.stems) {
    const key = `${stem}.${peftParameter(layer)}.weight`;
    const t = keyed.demand(key);
    if (!t) continue;
    const blocks = triangleBlocks(key, layer, t);
    const choice = blocks.share ? { size: blocks.size, share: true } : { size: blocks.size };
    found.push({
      layer: plannedLayer(layer, { ...settings, blocks: choice }, blocks),
      blocks: toFloat32(t, key),
    });
  }
  const { missing, unexpected } = keyed;
  const notes: string[] = [];
  if (!config)
    notes.push(
      "There is no adapter_config.json: read with PEFT's defaults (a series of five terms, no constraint). Give it along if the adapter was trained otherwise.",
    );
  const wide = found.map((l) => l.layer.layer).filter((l) => kernelSize(l) > 1);
  if (wide.length > 0)
    notes.push(
      `${listed(wide)}: read as PEFT merges it. PEFT's own forward pass scrambles convolutions wider than 1×1, so that it trained against something else.`,
    );
  const embeddings = unexpected.filter((key) => key.includes('.oft_embedding_R'));
  if (embeddings.length > 0)
    notes.push(
      `${embeddings.length === 1 ? 'An adapted embedding is' : `${embeddings.length} adapted embeddings are`} left out (${embeddings[0]!}): only layers that the model was opened for can be adapted.`,
    );
  if (typeof config?.bias === 'string' && config.bias !== 'none')
    notes.push('The adapter also trained biases; they are left out.');
  if (Array.isArray(config?.modules_to_save) && config.modules_to_save.length > 0)
    notes.push('The adapter also holds whole modules (modules_to_save); they are left out.');
  return { layers: found, missing, unexpected, notes, metadata };
}
