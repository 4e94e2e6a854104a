/**
 * @file Parts of a value that are all transposed alike: the value is transposed once, and its parts are cut from that. Each layer takes its rotations from
 * one tensor of all layers', and most take them transposed.
 */
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';

/** The graph with one Transpose before a Split instead of one behind each of its results. */
export function transposeBeforeSplit(graph: Graph): Graph {
  const values = new Map(graph.values);
  const fresh = (stem: string): string => {
    let name = stem;
    while (values.has(name)) name += '_';
    return name;
  };
  /** Transposes of a value, nodes of the graph and new ones. */
  const turns = new Map<string, Node[]>();
  const gone = new Set<Node>();
  const before = new Map<Node, readonly Node[]>();
  const note = (node: Node): void => {
    if (node.op !== 'Transpose' || node.domain !== '') return;
    const list = turns.get(node.inputs[0]!);
    if (list) list.push(node);
    else turns.set(node.inputs[0]!, [node]);
  };
  graph.nodes.forEach(note);
  const outputs = new Set(graph.outputs.map((v) => v.name));
  // Inner cuts first: what is moved before one of them is then behind the outer one.
  for (const split of graph.nodes.toReversed()) {
    if (split.op !== 'Split' || split.domain !== '') continue;
    const found = split.outputs.map((o) => (turns.get(o) ?? []).find((node) => !gone.has(node)));
    const first = found.find((node) => node !== undefined);
    const perm = first && intsAttr(first, 'perm');
    if (!perm) continue;
    const same = found.map((node) =>
      node && !outputs.has(node.outputs[0]!) && intsAttr(node, 'perm')?.join() === perm.join()
        ? node
        : undefined,
    );
    if (same.filter(Boolean).length < 2) continue;
    const source = values.get(split.inputs[0]!)!;
    const axis = intAttr(split, 'axis', 0);
    const turned: Value = {
      ...source,
      name: fresh(`${split.outputs[0]}/turned`),
      shape: perm.map((i) => source.shape[i]!),
    };
    values.set(turned.name, turned);
    const turn: Node = { ...first, name: turned.name, inputs: [source.name], outputs: [turned.name] };
    const parts = split.outputs.map((o, i) => {
      const own = same[i];
      if (own) {
        gone.add(own);
        return own.outputs[0]!;
      }
      const part = values.get(o)!;
      const name = fresh(`${o}/turned`);
      values.set(name, { ...part, name, shape: perm.map((k) => part.shape[k]!) });
      return name;
    });
    const cut: Node = {
      ...split,
      name: fresh(`${split.name}/turned`),
      inputs: [turned.name, ...split.inputs.slice(1)],
      outputs: parts,
      attributes: {
        ...split.attributes,
        axis: { kind: 'int', value: perm.indexOf(axis < 0 ? axis + source.shape.length : axis) },
      },
    };
    note(turn);
    before.set(split, [turn, cut]);
  }
  if (before.size === 0) return graph;
  const nodes = graph.nodes.flatMap((node) =>
    gone.has(node)
      ? []
      : before.has(node)
        ? [...before.get(node)!.filter((n) => !gone.has(n)), node]
        : [node],
  );
  return { ...graph, nodes, values };
}
