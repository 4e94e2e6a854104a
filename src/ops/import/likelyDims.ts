/** @file Likely sizes for the dimensions that a model leaves open; those of a cache as the model's own keys and values have them. */
import { type AssumedDim, assumeDims, type DimHints, unsaid } from '#src/graph/assume.ts';
import { GraphError, type Shape } from '#src/graph/types.ts';
import { type Model, ModelError } from '#src/onnx/model.ts';
import { importGraph } from './import.ts';

/** By operator: inputs that hold the past, and the outputs that hold it together with the present. */
const caches: Readonly<Record<string, readonly (readonly [past: number, present: number])[]>> = {
  'com.microsoft::GroupQueryAttention': [
    [3, 1],
    [4, 2],
  ],
  'com.microsoft::MultiHeadAttention': [
    [6, 1],
    [7, 2],
  ],
  Attention: [
    [4, 1],
    [5, 2],
  ],
};

/** The output that goes on with a cache's input: of the node that reads it, else the one named after it. */
function presentOf({ graph }: Model, past: string): string | undefined {
  for (const node of graph.nodes) {
    if (!node.inputs.includes(past)) continue;
    const pairs = caches[node.domain === '' ? node.op : `${node.domain}::${node.op}`] ?? [];
    const found = pairs.find(([input]) => node.inputs[input] === past);
    if (found) return node.outputs[found[1]];
  }
  const name = past.replace(/past_key_values|past/, 'present');
  return graph.outputs.find((v) => v.name === name)?.name;
}

/** Shapes of some of the model's values at these sizes; none where it cannot be bound. */
function shapesOf(
  model: Model,
  names: readonly string[],
  dims: Readonly<Record<string, number>>,
): ReadonlyMap<string, Shape> {
  const outputs = [...new Set(names)].map((name) => ({ name, type: 'float32' as const, shape: null }));
  try {
    const { outputs: found } = importGraph({ ...model, graph: { ...model.graph, outputs } }, dims);
    return new Map(found.map((v, i) => [outputs[i]!.name, v.shape]));
  } catch (error) {
    if (error instanceof GraphError || error instanceof ModelError) return new Map();
    throw error;
  }
}

/**
 * As {@link assumeDims}, and where nothing says how many heads a cache has or how wide they are: from the shape of the output that goes on
 * with it, as the file declares it, or as the model computes it (an empty past has no part in that).
 */
export function likelyDims(model: Model, hints: DimHints = {}): AssumedDim[] {
  const dims = assumeDims(model, hints);
  const open = dims.filter((d) => (d.kind === 'heads' || d.kind === 'width') && d.why === unsaid);
  if (open.length === 0) return dims;
  const presents = new Map(
    open.flatMap(({ uses }) => uses.map(({ input }) => [input, presentOf(model, input)] as const)),
  );
  const named = [...presents.values()].filter((name) => name !== undefined);
  const assumed = Object.fromEntries(dims.map((d) => [d.name, d.value]));
  let computed: ReadonlyMap<string, Shape> | undefined;
  const found = new Map<string, AssumedDim>();
  for (const dim of open)
    for (const { input, axis } of dim.uses) {
      const present = presents.get(input);
      if (present === undefined) continue;
      const declared = model.graph.outputs.find((v) => v.name === present)?.shape?.[axis];
      const value =
        typeof declared === 'number'
          ? declared
          : (computed ??= shapesOf(model, named, assumed)).get(present)?.[axis];
      if (value === undefined || value === 0) continue;
      found.set(dim.name, { ...dim, value, why: `as ${present} has it` });
      break;
    }
  return dims.map((d) => found.get(d.name) ?? d);
}
