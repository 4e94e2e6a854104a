/**
 * @file Recomputation (gradient checkpointing, Chen et al. 1604.06174): a step in stages, of which each holds the intermediate results of one segment of
 * the model only. ONNX Runtime orders the nodes of a session by itself, so one graph saves nothing; several sessions do.
 */
import { prune } from '#src/graph/prune.ts';
import { reads } from '#src/graph/topology.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { byteLength } from '#src/onnx/tensor.ts';
import { estimateMemory } from './memory.ts';
import type { Program, Stage } from './types.ts';
import { runInputs } from './weights.ts';

/** Where the forward part of a step is: every node that the loss depends on, and what each makes. */
interface Forward {
  /** Indices into the graph's nodes, in order. */
  readonly nodes: readonly number[];
  /** Place of a value's producer in `nodes`. */
  readonly place: ReadonlyMap<string, number>;
}

function forwardOf(graph: Graph, loss: string): Forward {
  const needed = new Set([loss]);
  const nodes: number[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some((o) => needed.has(o))) continue;
    nodes.push(i);
    for (const name of reads(node)) needed.add(name);
  }
  nodes.reverse();
  const place = new Map<string, number>();
  nodes.forEach((i, k) => {
    for (const o of graph.nodes[i]!.outputs) if (o !== '') place.set(o, k);
  });
  return { nodes, place };
}

const bytesOf = (graph: Graph, name: string): number => {
  const v = graph.values.get(name);
  return v && v.type !== 'string' ? byteLength(v.type, v.shape) : 0;
};

/**
 * Cuts the forward nodes into segments with about equal bytes that the backward pass reads, each cut at the narrowest place near by: where
 * the fewest bytes have to be carried over.
 * @returns places in `forward.nodes` at which segments begin, the first (0) left out
 */
function chooseCuts(graph: Graph, { nodes, place }: Forward, segments: number): number[] {
  const backwardReads = new Set<string>();
  const inForward = new Set(nodes);
  graph.nodes.forEach((node, i) => {
    if (!inForward.has(i)) for (const name of reads(node)) if (place.has(name)) backwardReads.add(name);
  });
  const saved = nodes.map((i) =>
    graph.nodes[i]!.outputs.reduce((n, o) => n + (backwardReads.has(o) ? bytesOf(graph, o) : 0), 0),
  );
  const lastUse = new Map<string, number>();
  nodes.forEach((i, k) => {
    for (const name of reads(graph.nodes[i]!)) if (place.has(name)) lastUse.set(name, k);
  });
  /** Bytes alive between place k − 1 and k. */
  const width = new Float64Array(nodes.length + 1);
  for (const [name, last] of lastUse) {
    const size = bytesOf(graph, name);
    for (const [at, sign] of [
      [place.get(name)! + 1, 1],
      [last + 1, -1],
    ] as const)
      width[at]! += sign * size;
  }
  for (let k = 1; k < width.length; k++) width[k]! += width[k - 1]!;
  const total = saved.reduce((a, b) => a + b, 0);
  const window = Math.max(2, Math.floor(nodes.length / segments / 4));
  const cuts: number[] = [];
  let sum = 0;
  let k = 0;
  for (let s = 1; s < segments; s++) {
    while (k < nodes.length && sum < (total * s) / segments) sum += saved[k++]!;
    let best = k;
    for (let c = Math.max(1, k - window); c <= Math.min(nodes.length - 1, k + window); c++)
      if (width[c]! < width[best]!) best = c;
    if (best > (cuts.at(-1) ?? 0) && best < nodes.length) cuts.push(best);
  }
  return cuts;
}

/**
 * The stages of a step with k segments: forward 1 … k−1, which keep nothing but what later segments read; forward and backward of k; then for k−1 … 1 the forward
 * again and the backward. A backward node goes to the first stage in which all that it reads is at hand.
 */
function stagesOf(graph: Graph, forward: Forward, cuts: readonly number[]): Graph[] {
  const k = cuts.length + 1;
  const segmentAt = (place: number): number => cuts.filter((c) => c <= place).length;
  const segments = new Map<string, number>();
  for (const [name, place] of forward.place) segments.set(name, segmentAt(place));
  const stages: Node[][] = Array.from({ length: 2 * k - 1 }, () => []);
  const inForward = new Set(forward.nodes);
  /** What segments hand on to later ones: at hand in every stage from the segment's own. */
  const carried = new Set<string>();
  forward.nodes.forEach((i, place) => {
    const own = segmentAt(place);
    for (const name of reads(graph.nodes[i]!)) if ((segments.get(name) ?? own) < own) carried.add(name);
  });
  // A node with one result handed on is not run again for the others.
  for (const i of forward.nodes) {
    const { outputs } = graph.nodes[i]!;
    if (outputs.some((o) => carried.has(o))) for (const o of outputs) if (o !== '') carried.add(o);
  }
  /** The stage with the backward pass of a segment. */
  const backwardStage = (segment: number): number => 2 * k - 2 - segment;
  forward.nodes.forEach((i, place) => {
    const own = segmentAt(place);
    stages[own]!.push(graph.nodes[i]!);
    if (own < k - 1) stages[backwardStage(own)]!.push(graph.nodes[i]!);
  });
  const madeIn = new Map<string, number>();
  graph.nodes.forEach((node, i) => {
    if (inForward.has(i)) return;
    let stage = k - 1;
    for (const name of reads(node)) {
      const segment = segments.get(name);
      if (segment === undefined) stage = Math.max(stage, madeIn.get(name) ?? 0);
      else if (!carried.has(name)) stage = Math.max(stage, backwardStage(segment));
    }
    stages[stage]!.push(node);
    for (const o of node.outputs) madeIn.set(o, stage);
  });
  return joined(graph, stages, (name, stage) => {
    const segment = segments.get(name);
    if (segment === undefined) return madeIn.get(name) ?? -1;
    // Made again for its own backward pass, unless it was carried there.
    return !carried.has(name) && stage >= backwardStage(segment) ? backwardStage(segment) : segment;
  });
}

/** @param source the stage that makes a value for a reader in a stage; −1: it is fed */
function joined(
  graph: Graph,
  stages: readonly (readonly Node[])[],
  source: (name: string, stage: number) => number,
): Graph[] {
  const inputs = stages.map(() => new Set<string>());
  const outputs = stages.map(() => new Set<string>());
  stages.forEach((nodes, stage) => {
    for (const node of nodes)
      for (const name of reads(node)) {
        if (name === '' || graph.constants.has(name)) continue;
        const from = source(name, stage);
        if (from === stage) continue;
        inputs[stage]!.add(name);
        if (from >= 0) outputs[from]!.add(name);
      }
  });
  for (const { name } of graph.outputs) {
    const first = stages.findIndex((nodes) => nodes.some((n) => n.outputs.includes(name)));
    if (first >= 0) outputs[first]!.add(name);
  }
  const value = (name: string): Value => graph.values.get(name)!;
  return stages.map((nodes, stage) =>
    // What is handed in is not made again.
    withUsedInputs(
      prune({
        ...graph,
        inputs: [...inputs[stage]!].map(value),
        outputs: [...outputs[stage]!].map(value),
        nodes: nodes.filter((n) => !n.outputs.some((o) => inputs[stage]!.has(o))),
      }),
    ),
  );
}

function withUsedInputs(graph: Graph): Graph {
  const used = new Set(graph.nodes.flatMap((n) => [...reads(n)]));
  return { ...graph, inputs: graph.inputs.filter((v) => used.has(v.name)) };
}

/**
 * The step with its forward pass in so many segments, of which each is computed twice: about half as much work again, for the memory of the largest segment
 * instead of all. Losses and updates are those of the step as it was.
 *
 * @param program one stage with an output named `loss`
 * @param segments wanted; where the graph has no place to cut, fewer
 */
export function withRecomputation(program: Program, segments: number): Program {
  const [stage, ...more] = program.stages;
  if (!stage || more.length > 0) throw new RangeError('Recomputation takes a program of one stage.');
  if (segments < 2) return program;
  const forward = forwardOf(stage.graph, 'loss');
  const graphs = stagesOf(stage.graph, forward, chooseCuts(stage.graph, forward, segments));
  const stages = graphs
    .filter((graph) => graph.outputs.length > 0)
    .map((graph, i): Stage => ({ name: `${stage.name} ${i + 1}`, graph, weights: runInputs(graph) }));
  return { ...program, stages };
}

/** Segment counts that are tried. */
const tried = [2, 3, 4, 6, 8, 12, 16];

/** The recomputation with the lowest estimated memory; the program itself where none lowers it. */
export function leastMemory(program: Program): { readonly program: Program; readonly segments: number } {
  let best = { program, segments: 1, total: estimateMemory(program).total };
  for (const segments of tried) {
    const cut = withRecomputation(program, segments);
    const { total } = estimateMemory(cut);
    if (total < best.total) best = { program: cut, segments, total };
  }
  return best;
}
