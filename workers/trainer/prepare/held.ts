/** @file The model as it is held while it is trained and drawn with: its weights as they are, or in fewer bits. */
import type { Quantise } from '#src/formats/jobs/jobTypes.ts';
import type { Graph } from '#src/graph/types.ts';
import type { Bits } from '#src/onnx/blockwise.ts';
import type { Layout } from '#src/oft/rotation/parameters.ts';
import { type Quantised, quantised } from '#src/program/quantised.ts';

export const BITS: Readonly<Record<Quantise, Bits | null>> = { no: null, int8: 8, int4: 4 };

/** Graphs as they are held, by bits and trained weights. A graph never changes. */
const known = new WeakMap<Graph, Map<string, Quantised>>();

/** A graph of the model with its weights in so many bits; the same one for the same graph. */
export function inBits(graph: Graph, bits: Bits, { whole }: Pick<Layout, 'whole'>): Quantised {
  const names = whole.map(({ name }) => name);
  const key = JSON.stringify([bits, names]);
  const all = known.get(graph) ?? new Map<string, Quantised>();
  known.set(graph, all);
  const made = all.get(key) ?? quantised(graph, bits, new Set(names));
  all.set(key, made);
  return made;
}

/** A graph of the model as a job wants it held. */
export function held(graph: Graph, quantise: Quantise, layout: Pick<Layout, 'whole'>): Graph {
  const bits = BITS[quantise];
  return bits === null ? graph : inBits(graph, bits, layout).graph;
}
