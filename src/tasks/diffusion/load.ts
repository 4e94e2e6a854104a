/** @file A pipeline with its files opened, and what follows from the files alone. */
import { ModelError } from '#src/onnx/model.ts';
import type { FileSet } from '../files.ts';
import type { ModelFile, OpenModel } from '../types.ts';
import { type Pipeline, readPipeline } from './pipeline.ts';

export interface LoadedPipeline {
  readonly pipeline: Pipeline;
  readonly unet: ModelFile;
  /** As in the pipeline. */
  readonly texts: readonly ModelFile[];
  readonly vae: { readonly encoder: ModelFile; readonly decoder: ModelFile } | null;
  /** Of all model files. */
  readonly bytes: number;
}

/** Reads a model folder. Throws ModelError or DataError that names the file. */
export async function loadPipeline(files: FileSet, open: OpenModel): Promise<LoadedPipeline> {
  const pipeline = await readPipeline(files);
  const texts: ModelFile[] = [];
  for (const { path } of pipeline.texts) texts.push(await open(path));
  const vae = pipeline.vae && {
    encoder: await open(pipeline.vae.encoder),
    decoder: await open(pipeline.vae.decoder),
  };
  const unet = await open(pipeline.unet);
  const all = [...texts, unet, ...(vae ? [vae.encoder, vae.decoder] : [])];
  return { pipeline, unet, texts, vae, bytes: all.reduce((n, file) => n + file.bytes, 0) };
}

/** Side of what the UNet draws, in its own units. Throws ModelError where nothing says it. */
export function sideOf({ pipeline, unet }: LoadedPipeline): number {
  const sample = unet.model.graph.inputs.find((v) => v.name === 'sample') ?? unet.model.graph.inputs[0];
  const side = pipeline.sampleSize ?? sample?.shape?.findLast((d) => typeof d === 'number' && d > 4);
  if (typeof side !== 'number')
    throw new ModelError(
      'Nothing says how large the model draws. Put its config.json, which has a sample_size, into unet/.',
    );
  return side;
}

/** Pixels per unit of what the UNet draws. */
export const factorOf = ({ pipeline }: LoadedPipeline): number => pipeline.vae?.factor ?? 1;
