/** @file A training step in figures, for the debug view. */
import type { Graph } from '#src/graph/types.ts';
import { byteLength } from '#src/onnx/tensor.ts';
import { operatorKey } from '#src/ops/table.ts';
import { estimateMemory, peakActivations } from '#src/program/memory.ts';
import type { Program, Stage } from '#src/program/types.ts';
import type { StageFigures, StepFigures } from './types.ts';

const constantsOf = ({ constants }: Graph): { readonly count: number; readonly bytes: number } => ({
  count: constants.size,
  bytes: [...constants.values()].reduce((sum, { type, shape }) => sum + byteLength(type, shape), 0),
});

const stageFigures = ({ name, graph, weights }: Stage): StageFigures => ({
  name,
  nodes: graph.nodes.length,
  inputs: graph.inputs.length,
  outputs: graph.outputs.length,
  constants: { ...constantsOf(graph), uploaded: weights.length },
  activations: peakActivations(graph),
});

/** Stages, operators and estimated memory of a program. */
export function stepFigures(program: Program): StepFigures {
  const nodes = new Map<string, number>();
  for (const { graph } of program.stages)
    for (const node of graph.nodes) nodes.set(operatorKey(node), (nodes.get(operatorKey(node)) ?? 0) + 1);
  const { weights, state, activations } = estimateMemory(program);
  return {
    stages: program.stages.map(stageFigures),
    operators: [...nodes]
      .map(([op, count]) => ({ op, nodes: count }))
      .sort((a, b) => b.nodes - a.nodes || (a.op < b.op ? -1 : 1)),
    memory: { weights, state, activations },
  };
}
