/** @file Graph → ONNX file. */
import { encodeModel } from '#src/onnx/encode.ts';
import type { Constant, Node } from '#src/onnx/model.ts';
import type { Graph } from './types.ts';

export interface EncodeGraphOptions {
  /** Constants that the session gets with each run: they become graph inputs, after the graph's own. */
  readonly weightsAsInputs: ReadonlySet<string>;
  readonly name?: string;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** The graph as an ONNX file of opset 21, IR 10: what every ONNX Runtime that Rotune meets can run on WebGPU. */
export function encodeGraph(graph: Graph, options: EncodeGraphOptions): Uint8Array {
  const initializers = new Map<string, Constant>();
  const weights = [];
  for (const [name, constant] of graph.constants)
    if (options.weightsAsInputs.has(name)) weights.push({ name, type: constant.type, shape: constant.shape });
    else initializers.set(name, constant);
  const opsets = new Map([['', 21]]);
  for (const node of graph.nodes) if (node.domain !== '') opsets.set(node.domain, 1);
  return encodeModel({
    irVersion: 10,
    opsets,
    producer: 'rotune',
    metadata: options.metadata ?? new Map<string, string>(),
    graph: {
      name: options.name ?? 'rotune',
      inputs: [...graph.inputs, ...weights],
      outputs: graph.outputs,
      nodes: named(graph.nodes.map(trimmed)),
      initializers,
    },
  });
}

/** Absent optional inputs at the end are left out: some kernels take an empty name for an input that is there. */
function trimmed(node: Node): Node {
  const last = node.inputs.findLastIndex((name) => name !== '');
  return last === node.inputs.length - 1 ? node : { ...node, inputs: node.inputs.slice(0, last + 1) };
}

/** Nodes under distinct names, which ONNX Runtime demands: a name made up for one may be another's in the file. */
function named(nodes: readonly Node[]): Node[] {
  const taken = new Set(nodes.map((node) => node.name));
  const seen = new Set<string>();
  return nodes.map((node) => {
    if (node.name === '') return node;
    let { name } = node;
    for (let i = 1; seen.has(name); i++) {
      const next = `${node.name}/${i}`;
      if (!taken.has(next)) name = next;
    }
    seen.add(name);
    return name === node.name ? node : { ...node, name };
  });
}
