/** @file A task's single ONNX file: which one it is, and its graph at given shapes of its inputs. */
import { prune } from '#src/graph/prune.ts';
import { type Graph, GraphError } from '#src/graph/types.ts';
import { examineLayers, noLayerWords } from '#src/oft/layers/layers.ts';
import type { Layer } from '#src/oft/types.ts';
import { ModelError } from '#src/onnx/model.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { int32Inputs } from '#src/ops/lowering/int32.ts';
import { likelyDims } from '#src/ops/import/likelyDims.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import type { ModelFile, OpenModel } from '#src/tasks/types.ts';

/** The one model of a folder: model.onnx, else the only .onnx file. Throws DataError if there is none, or no telling which. */
export function modelPath(files: FileSet): string {
  const models = files.paths.filter((p) => /\.onnx$/i.test(p));
  if (models.length === 0)
    throw new DataError(
      `${files.name} has no .onnx file. Choose the folder or the file of a model exported to ONNX.`,
    );
  const named = models.filter((p) => /(^|\/)model\.onnx$/i.test(p));
  const found = models.length === 1 ? models[0] : named.length === 1 ? named[0] : undefined;
  if (found === undefined)
    throw new DataError(
      `${files.name} has ${models.length} models (${models.slice(0, 6).join(', ')}). Choose one file, or name the one to train model.onnx.`,
    );
  return found;
}

/** The folder's single model, decoded. */
export const openSingle = async (files: FileSet, open: OpenModel): Promise<ModelFile> =>
  open(modelPath(files));

/**
 * The model as a static graph, its int64 inputs as int32.
 * @param shapes by input name; they win over what the file says. Inputs that are not named keep the file's sizes.
 * @throws GraphError or ModelError in words; one that blames a size that the file has fixed says so
 */
export function bindModel(file: ModelFile, shapes: ReadonlyMap<string, readonly number[]>): Graph {
  const dims: Record<string, number> = {};
  const fixed: string[] = [];
  for (const input of file.model.graph.inputs)
    shapes.get(input.name)?.forEach((size, axis) => {
      const own = input.shape?.[axis];
      dims[`${input.name}.${axis}`] = size;
      if (typeof own === 'number' && own !== size)
        fixed.push(`axis ${axis} of ${input.name} is ${own} in the file and ${size} in training`);
    });
  try {
    return int32Inputs(importGraph(file.model, dims));
  } catch (error) {
    const known = error instanceof GraphError || error instanceof ModelError;
    if (!known || fixed.length === 0) throw error;
    throw new GraphError(
      `${file.path} has fixed sizes: ${fixed.join('; ')}. Export it with a dynamic batch, or set the batch to what it has. (${error.message})`,
      { cause: error },
    );
  }
}

/** The model at sizes that are likely, for what needs no data: its layers, its weights. */
export function likelyGraph(
  file: ModelFile,
  shapes: ReadonlyMap<string, readonly number[]> = new Map(),
): Graph {
  const dims = Object.fromEntries(likelyDims(file.model).map(({ name, value }) => [name, value]));
  for (const [name, shape] of shapes) shape.forEach((size, axis) => (dims[`${name}.${axis}`] = size));
  return int32Inputs(importGraph(file.model, dims));
}

/** The graph's layers. Throws ModelError if there is none. */
export function layersOf(graph: Graph, file: ModelFile): Layer[] {
  const { layers, others } = examineLayers(graph);
  if (layers.length === 0)
    throw new ModelError(`${file.path} has no layer that can be adapted: ${noLayerWords(others)}`, {
      cure: 'Export the model with its weights (export_params=True), or choose one with linear or convolution layers.',
    });
  return [...layers];
}

/** "name [1,3,h,w]" of a model's input or output. */
export const shownValue = (v: {
  readonly name: string;
  readonly shape: readonly (string | number | null)[] | null;
}): string => `${v.name} [${v.shape?.map((d) => d ?? '?').join() ?? '?'}]`;

/** The graph with the one output that is to be trained; '' leaves all. Throws ModelError that lists them. */
export function withOutput(graph: Graph, name: string, path: string): Graph {
  if (name === '') return graph;
  const output = graph.outputs.find((v) => v.name === name);
  if (!output)
    throw new ModelError(
      `${path} has no output "${name}"; its outputs are ${graph.outputs.map(shownValue).join(', ')}.`,
    );
  return prune({ ...graph, outputs: [output] });
}
