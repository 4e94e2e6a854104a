/** @file A model bound to sizes: the user's, assumed ones, or others where the assumed ones do not fit. */
import { type AssumedDim, type DimHints, otherSides } from '#src/graph/assume.ts';
import { type Graph, GraphError } from '#src/graph/types.ts';
import { type Model, ModelError } from '#src/onnx/model.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { int32Inputs } from '#src/ops/lowering/int32.ts';
import { likelyDims } from '#src/ops/import/likelyDims.ts';
import type { InspectedDim } from './types.ts';

export interface Bound {
  readonly dims: readonly InspectedDim[];
  /** null: the model cannot be made static; `error` says why. */
  readonly graph: Graph | null;
  readonly error: GraphError | ModelError | null;
}

const sizesOf = (dims: readonly InspectedDim[]): Record<string, number> =>
  Object.fromEntries(dims.map((d) => [d.name, d.value]));

function attempt(model: Model, dims: readonly InspectedDim[]): Omit<Bound, 'dims'> {
  try {
    // As it is trained: WebGPU has no int64 arithmetic.
    return { graph: int32Inputs(importGraph(model, sizesOf(dims))), error: null };
  } catch (error) {
    if (error instanceof GraphError || error instanceof ModelError) return { graph: null, error };
    throw error;
  }
}

/**
 * Binds a model. Where the assumed side of its pictures is not one that it takes, others are tried.
 * @param given sizes that the user chose; names that the model does not have are left out
 */
export function bind(
  model: Model,
  hints: DimHints,
  given: Readonly<Record<string, number>>,
  hopeless: boolean,
): Bound {
  const own = (name: string): number | undefined => (Object.hasOwn(given, name) ? given[name] : undefined);
  const likely = likelyDims(model, hints);
  const choose = (side?: number): InspectedDim[] =>
    likely.map((d: AssumedDim) => {
      const assumed = side !== undefined && d.kind === 'side' ? side : d.value;
      const why = assumed === d.value ? d.why : 'the first usual size that fits';
      return { ...d, why, assumed, value: own(d.name) ?? assumed, given: own(d.name) !== undefined };
    });
  const dims = choose();
  const first = attempt(model, dims);
  const open = dims.some((d) => d.kind === 'side' && !d.given);
  if (first.graph || hopeless || !open) return { dims, ...first };
  for (const side of otherSides) {
    const others = choose(side);
    const result = attempt(model, others);
    if (result.graph) return { dims: others, ...result };
  }
  return { dims, ...first };
}
