/** @file A diffusion model's files → graphs with static shapes, and what names its inputs have. */
import { type DType, type Model, ModelError, type ModelValue } from '#src/onnx/model.ts';
import { type Graph, GraphError } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers.ts';
import type { Layer } from '#src/oft/types.ts';
import { importGraph } from '#src/ops/import.ts';
import { int32Inputs } from '#src/ops/int32.ts';
import type { FileSet } from '../files.ts';
import type { ModelFile, OpenModel, TaskHost } from '../types.ts';
import type { TimestepType } from './batches.ts';
import { type DiffusionFolder, readDiffusionFolder } from './folder.ts';

export interface LoadedModel {
  readonly folder: DiffusionFolder;
  readonly unet: ModelFile;
  readonly textEncoder: ModelFile;
  /** The UNet's. */
  readonly hash: string;
  /** Of all model files that were read. */
  readonly bytes: number;
}

/** A model bound to a batch. */
export interface BoundUnet {
  readonly graph: Graph;
  readonly batch: number;
  readonly sample: string;
  readonly timestep: string;
  readonly embeddings: string;
  readonly output: string;
  readonly timestepType: TimestepType;
  /** [channels, height, width]. */
  readonly shape: readonly [number, number, number];
}

export interface BoundEncoder {
  readonly graph: Graph;
  readonly batch: number;
  readonly ids: string;
  readonly idsType: 'int32' | 'int64';
  readonly output: string;
}

/** Reads a model folder. Throws ModelError or DataError that names the file. */
export async function loadModel(files: FileSet, open: OpenModel): Promise<LoadedModel> {
  const folder = await readDiffusionFolder(files);
  const textEncoder = await open(folder.textEncoder);
  const unet = await open(folder.unet);
  return { folder, unet, textEncoder, hash: unet.hash, bytes: unet.bytes + textEncoder.bytes };
}

/** The model with all dimensions bound, with inputs of int32: WebGPU has no int64 arithmetic. */
const staticGraph = (model: Model, dims: Readonly<Record<string, number>>): Graph =>
  int32Inputs(importGraph(model, dims));

/** Sizes for those axes of an input that have none. */
function free(input: ModelValue, sizes: readonly number[]): Record<string, number> {
  const dims: Record<string, number> = {};
  sizes.forEach((size, axis) => {
    if (typeof input.shape?.[axis] !== 'number') dims[`${input.name}.${axis}`] = size;
  });
  return dims;
}

const rank = (v: ModelValue): number => v.shape?.length ?? -1;
const shown = (v: { readonly name: string; readonly shape: readonly unknown[] | null }): string =>
  `${v.name} [${v.shape?.join() ?? '?'}]`;

/** An input by its usual name, else the only one that looks like it. */
function role(
  inputs: readonly ModelValue[],
  name: string,
  what: string,
  fits: (v: ModelValue) => boolean,
): ModelValue {
  const named = inputs.find((v) => v.name === name);
  const alike = inputs.filter(fits);
  const found = named ?? (alike.length === 1 ? alike[0] : undefined);
  if (!found)
    throw new ModelError(
      `unet/model.onnx has no input for ${what} (usually named ${name}): it has ${inputs.map(shown).join(', ')}.`,
    );
  return found;
}

/** The UNet at a batch, each sample with its own timestep. Throws GraphError or ModelError where it cannot be. */
export function bindUnet({ unet, folder }: LoadedModel, batch: number, width: number): BoundUnet {
  const { inputs } = unet.model.graph;
  const sample = role(inputs, 'sample', 'noisy images', (v) => rank(v) === 4);
  const timestep = role(inputs, 'timestep', 'timesteps', (v) => rank(v) <= 1);
  const embeddings = role(inputs, 'encoder_hidden_states', 'caption embeddings', (v) => rank(v) === 3);
  const others = inputs.filter((v) => ![sample, timestep, embeddings].includes(v));
  if (others.length > 0)
    throw new ModelError(
      `unet/model.onnx wants more than noisy images, timesteps and captions: ${others.map(shown).join(', ')}. So far Rotune cannot feed that.`,
    );
  const side = folder.sampleSize ?? sample.shape?.findLast((d) => typeof d === 'number' && d > 4);
  if (typeof side !== 'number')
    throw new ModelError(
      'Nothing says how large the model draws. Put its config.json, which has a sample_size, into unet/.',
    );
  const channels = typeof sample.shape?.[1] === 'number' ? sample.shape[1] : (folder.channels ?? 3);
  if (channels !== 3)
    throw new ModelError(
      `unet/model.onnx draws ${channels} channels. So far Rotune trains models that draw RGB pixels directly.`,
    );
  const tokens = folder.tokenizer.length;
  const graph = staticGraph(unet.model, {
    ...free(sample, [batch, channels, side, side]),
    ...free(timestep, [batch]),
    ...free(embeddings, [batch, tokens, width]),
  });
  const shapeOf = (name: string): string => graph.inputs.find((v) => v.name === name)?.shape.join() ?? '';
  const wanted = [
    [sample.name, [batch, channels, side, side]],
    [timestep.name, timestep.shape?.length === 0 && batch === 1 ? [] : [batch]],
    [embeddings.name, [batch, tokens, width]],
  ] as const;
  for (const [name, shape] of wanted)
    if (shapeOf(name) !== shape.join())
      throw new GraphError(
        `Input ${name} of unet/model.onnx has the fixed shape [${shapeOf(name)}], but training feeds [${shape.join()}]. Export the model with a dynamic batch.`,
      );
  const output = graph.outputs.find((o) => o.shape.join() === wanted[0][1].join());
  if (!output)
    throw new ModelError(
      `unet/model.onnx has no output with the shape of its images: it has ${graph.outputs.map(shown).join(', ')}.`,
    );
  const timestepType = graph.inputs.find((v) => v.name === timestep.name)?.type as DType;
  if (timestepType !== 'int32' && timestepType !== 'int64' && timestepType !== 'float32')
    throw new ModelError(`Input ${timestep.name} of unet/model.onnx has type ${timestepType}.`);
  return {
    graph,
    batch,
    sample: sample.name,
    timestep: timestep.name,
    embeddings: embeddings.name,
    output: output.name,
    timestepType,
    shape: [channels, side, side],
  };
}

/** The text encoder at a batch. */
export function bindEncoder({ textEncoder, folder }: LoadedModel, batch: number): BoundEncoder {
  const { inputs } = textEncoder.model.graph;
  const ids = inputs.find((v) => v.name === 'input_ids') ?? inputs[0];
  if (!ids || inputs.length !== 1)
    throw new ModelError(
      `text_encoder/model.onnx should take token ids only; it takes ${inputs.map(shown).join(', ') || 'nothing'}.`,
    );
  const tokens = folder.tokenizer.length;
  const graph = staticGraph(textEncoder.model, free(ids, [batch, tokens]));
  const bound = graph.inputs[0];
  if (!bound || bound.shape.join() !== [batch, tokens].join())
    throw new GraphError(
      `Input ${ids.name} of text_encoder/model.onnx has the fixed shape [${bound?.shape.join() ?? ''}], but the tokenizer gives [${batch},${tokens}]. Export it with a dynamic batch.`,
    );
  if (bound.type !== 'int32' && bound.type !== 'int64')
    throw new ModelError(`Input ${ids.name} of text_encoder/model.onnx has type ${bound.type}.`);
  const output =
    graph.outputs.find((o) => o.name === 'last_hidden_state') ??
    graph.outputs.find((o) => o.shape.length === 3);
  if (output?.shape.length !== 3)
    throw new ModelError(
      `text_encoder/model.onnx has no output of hidden states: it has ${graph.outputs.map(shown).join(', ')}.`,
    );
  return { graph, batch, ids: bound.name, idsType: bound.type, output: output.name };
}

/** Width of the embeddings that the encoder gives. */
const widthOf = (encoder: BoundEncoder): number =>
  encoder.graph.outputs.find((o) => o.name === encoder.output)?.shape[2] ?? 0;

/** Layers that can be adapted, and how many numbers the model's weights hold. */
export function surveyLayers(unet: BoundUnet): { readonly layers: Layer[]; readonly weights: number } {
  const layers = findLayers(unet.graph).map((layer) => ({ ...layer, part: 'unet' }));
  let weights = 0;
  for (const c of unet.graph.constants.values())
    if (c.type.startsWith('float') || c.type === 'bfloat16') weights += c.shape.reduce((n, d) => n * d, 1);
  return { layers, weights };
}

/** Captions go through the text encoder so many at a time. */
export const ENCODER_BATCH = 8;

const encoders = new WeakMap<ModelFile, Map<number, BoundEncoder>>();

/** The bound text encoder; binding takes a moment, so it is kept with the model. */
export function bindEncoderOnce(model: LoadedModel, batch: number): BoundEncoder {
  const known = encoders.get(model.textEncoder) ?? new Map<number, BoundEncoder>();
  encoders.set(model.textEncoder, known);
  const bound = known.get(batch) ?? bindEncoder(model, batch);
  known.set(batch, bound);
  return bound;
}

/** Width of a caption's embedding. */
export const encoderWidth = (model: LoadedModel): number => widthOf(bindEncoderOnce(model, ENCODER_BATCH));

/** Token ids → hidden states. */
export async function encodeTokens(
  model: LoadedModel,
  host: TaskHost,
  ids: Int32Array,
  batch: number,
): Promise<Float32Array> {
  const bound = bindEncoderOnce(model, batch);
  const run = host.frozen('text encoder', `${model.textEncoder.hash}:${batch}`, () => bound.graph);
  const out = await run({ [bound.ids]: bound.idsType === 'int32' ? ids : BigInt64Array.from(ids, BigInt) });
  return out[bound.output] as Float32Array;
}
