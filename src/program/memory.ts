/** @file How much memory a Program needs, before it runs: weights, state, and activations at the peak of the order of its nodes. */
import type { Graph } from '#src/graph/types.ts';
import { byteLength } from '#src/onnx/tensor.ts';
import type { Program } from './types.ts';

export interface MemoryEstimate {
  /** Bytes of frozen weights; programs of one model share them. */
  readonly weights: number;
  /** Bytes of trained numbers, moments, inverses and trace; twice, since a step writes the next state beside the last. */
  readonly state: number;
  /** Bytes of intermediate results where most are alive at once, feeds included. */
  readonly activations: number;
  readonly total: number;
}

/** Results that share their input's memory in ONNX Runtime. */
const views = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten']);

/**
 * Bytes of intermediate results alive at once, at most, when nodes run in the graph's order and each result is freed after its last
 * reader. The runtime reuses buffers but rounds them up, so the device needs somewhat more.
 */
export function peakActivations(graph: Graph): number {
  const root = new Map<string, string>();
  const rootOf = (name: string): string => root.get(name) ?? name;
  const lastUse = new Map<string, number>();
  graph.nodes.forEach((node, i) => {
    if (views.has(node.op)) root.set(node.outputs[0]!, rootOf(node.inputs[0]!));
    for (const name of node.inputs) if (name !== '') lastUse.set(rootOf(name), i);
  });
  for (const o of graph.outputs) lastUse.set(rootOf(o.name), graph.nodes.length);
  const size = (name: string): number => {
    const value = graph.values.get(name);
    return !value || graph.constants.has(name) || value.type === 'string'
      ? 0
      : byteLength(value.type, value.shape);
  };
  const freed: string[][] = graph.nodes.map(() => []);
  for (const [name, i] of lastUse)
    if (i < graph.nodes.length && !graph.constants.has(name)) freed[i]!.push(name);
  // What is fed stays the caller's.
  const fed = new Set(graph.inputs.map((v) => v.name));
  let alive = graph.inputs.reduce((sum, v) => sum + size(v.name), 0);
  let peak = alive;
  graph.nodes.forEach((node, i) => {
    if (!views.has(node.op)) {
      for (const name of node.outputs) if (name !== '') alive += size(name);
      peak = Math.max(peak, alive);
      // A result that nobody reads is freed at once.
      for (const name of node.outputs) if (name !== '' && !lastUse.has(name)) alive -= size(name);
    }
    for (const name of freed[i]!) if (!fed.has(name)) alive -= size(name);
  });
  return peak;
}

/** The estimate for one program. State counts among the feeds of its graph; it is taken out there. */
export function estimateMemory(program: Program): MemoryEstimate {
  const held = program.state.reduce((sum, s) => sum + byteLength(s.type, s.shape), 0);
  const names = new Set(program.state.map((s) => s.name));
  let weights = 0;
  let activations = 0;
  const seen = new Set<object>();
  const waiting = carriedPast(program);
  program.stages.forEach(({ graph }, stage) => {
    for (const c of graph.constants.values()) {
      if (seen.has(c)) continue;
      seen.add(c);
      weights += byteLength(c.type, c.shape);
    }
    const own = graph.inputs
      .filter((v) => names.has(v.name))
      .reduce((sum, v) => sum + byteLength(v.type, v.shape), 0);
    activations = Math.max(activations, peakActivations(graph) - own + waiting[stage]!);
  });
  const state = 2 * held;
  return { weights, state, activations, total: weights + state + activations };
}

/** Per stage, bytes of earlier stages' results that only later stages read. */
function carriedPast({ stages }: Program): number[] {
  const last = new Map<string, number>();
  stages.forEach(({ graph }, i) => graph.inputs.forEach((v) => last.set(v.name, i)));
  const out = stages.map(() => 0);
  stages.forEach(({ graph }, from) => {
    for (const v of graph.outputs)
      for (let i = from + 1; i < (last.get(v.name) ?? 0); i++)
        if (!stages[i]!.graph.inputs.some((input) => input.name === v.name))
          out[i]! += byteLength(v.type, v.shape);
  });
  return out;
}
