/** @file Tensors that lie in other files beside the model: which files, and reading them in. */
import {
  type Attribute,
  type Constant,
  type Model,
  ModelError,
  type ModelGraph,
  type Node,
} from './model.ts';
import { isStored } from './single.ts';
import { byteLength } from './tensor.ts';

/** Names of the files, relative to the model's own folder, that hold the model's external tensors; the model's own file, '', is none. */
export function externalFiles(model: Model): string[] {
  const files = new Set<string>();
  mapConstants(model.graph, (_, c) => {
    if (c.data.kind === 'external' && c.data.location !== '') files.add(c.data.location);
    return c;
  });
  return [...files];
}

/** By file: how many bytes it must have at least, and the tensor that asks for the last of them. */
export function externalEnds(
  model: Model,
): ReadonlyMap<string, { readonly bytes: number; readonly tensor: string }> {
  const ends = new Map<string, { readonly bytes: number; readonly tensor: string }>();
  mapConstants(model.graph, (tensor, c) => {
    if (c.data.kind !== 'external' || c.data.location === '') return c;
    const { location, offset, length } = c.data;
    if (offset + length > (ends.get(location)?.bytes ?? -1))
      ends.set(location, { bytes: offset + length, tensor });
    return c;
  });
  return ends;
}

/**
 * The model with every external tensor made inline, as views of the given files.
 * @throws ModelError for a missing or short file; it names the file and the tensor.
 */
export function loadExternal(model: Model, files: ReadonlyMap<string, Uint8Array>): Model {
  const load = (name: string, constant: Constant): Constant => {
    const { data } = constant;
    if (data.kind === 'inline') return constant;
    const file = files.get(data.location);
    if (!file)
      throw new ModelError(
        `The model keeps its weights (${name}, …) in the file ${data.location}, which is missing. Give it together with the model.`,
      );
    const end = data.offset + data.length;
    if (end > file.length)
      throw new ModelError(
        `${data.location} has ${file.length} bytes, but ${name} lies at bytes ${data.offset}–${end}. The file is truncated, or belongs to another model.`,
      );
    return { ...constant, data: { kind: 'inline', bytes: file.subarray(data.offset, end) } };
  };
  return { ...model, graph: mapConstants(model.graph, load) };
}

/** Reads `length` bytes at `offset` of one of the model's external files. */
export type ReadRange = (location: string, offset: number, length: number) => Promise<Uint8Array>;

/**
 * The model with its small external tensors made inline: those whose values decide shapes, and all that the runtime does not take as
 * device buffers. Float tensors of at least `limit` bytes stay byte ranges, which the runtime asks for one by one.
 */
export function loadSmall(model: Model, read: ReadRange, limit = 65_536): Promise<Model> {
  const large = (c: Constant): boolean =>
    (c.type === 'float32' || isStored(c.type)) && byteLength(c.type, c.shape) >= limit;
  return loadWhere(model, read, (_, c) => !large(c));
}

/** The model with the external tensors of some names made inline. */
export const loadNamed = (model: Model, read: ReadRange, has: (name: string) => boolean): Promise<Model> =>
  loadWhere(model, read, has);

async function loadWhere(
  model: Model,
  read: ReadRange,
  holds: (name: string, constant: Constant) => boolean,
): Promise<Model> {
  const wanted = new Map<Constant, Promise<Uint8Array>>();
  mapConstants(model.graph, (name, c) => {
    if (c.data.kind === 'external' && holds(name, c))
      wanted.set(c, read(c.data.location, c.data.offset, c.data.length));
    return c;
  });
  const bytes = new Map<Constant, Uint8Array>();
  for (const [c, promise] of wanted) bytes.set(c, await promise);
  return {
    ...model,
    graph: mapConstants(model.graph, (_, c) => {
      const own = bytes.get(c);
      return own ? { ...c, data: { kind: 'inline', bytes: own } } : c;
    }),
  };
}

/**
 * A model whose external location `own` stands for its own file: that becomes ''. Messages call it the model file.
 * @param decode throws ModelError
 */
export function withOwnRanges(own: string, decode: () => Model): Model {
  let model: Model;
  try {
    model = decode();
  } catch (error) {
    throw error instanceof ModelError
      ? new ModelError(error.message.replaceAll(own, 'the model file'), { cure: error.cure })
      : error;
  }
  const moved = (c: Constant): Constant =>
    c.data.kind === 'external' && c.data.location === own ? { ...c, data: { ...c.data, location: '' } } : c;
  const { graph } = model;
  const initializers = new Map([...graph.initializers].map(([name, c]) => [name, moved(c)]));
  return { ...model, graph: { ...graph, initializers } };
}

/** The model with the locations of its external tensors mapped; '' is the model's own file. */
export const relocated = (model: Model, map: (location: string) => string): Model => ({
  ...model,
  graph: mapConstants(model.graph, (_, c) =>
    c.data.kind === 'external' ? { ...c, data: { ...c.data, location: map(c.data.location) } } : c,
  ),
});

/** The model with all external tensors made inline: as many bytes in memory as the files have. */
export const loadAll = (model: Model, read: ReadRange): Promise<Model> => loadSmall(model, read, Infinity);

/** The graph with each constant mapped: initializers and tensor attributes, in subgraphs too. */
function mapConstants(graph: ModelGraph, map: (name: string, constant: Constant) => Constant): ModelGraph {
  const attribute = (node: Node, a: Attribute): Attribute => {
    if (a.kind === 'tensor') return { ...a, value: map(node.outputs[0] ?? node.name, a.value) };
    return a.kind === 'graph' ? { ...a, value: mapConstants(a.value, map) } : a;
  };
  return {
    ...graph,
    initializers: new Map([...graph.initializers].map(([name, c]) => [name, map(name, c)])),
    nodes: graph.nodes.map((node) => ({
      ...node,
      attributes: Object.fromEntries(
        Object.entries(node.attributes).map(([key, a]) => [key, attribute(node, a)]),
      ),
    })),
  };
}
