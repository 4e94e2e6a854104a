/**
 * @file Weights that are stored in fewer bytes than they are computed in are widened anew where they are read again much later (the backward pass), so that no
 * float copy waits from one pass to the other.
 */
import { apart } from '#src/graph/names.ts';
import { reads } from '#src/graph/topology.ts';
import type { Graph, GraphConstant, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { constantOf, isSmall, sizeOf, tensor } from '#src/onnx/tensor.ts';

/** What widens stored numbers. */
const widening = new Set(['DequantizeLinear', 'Cast']);
/** What makes of a wide weight the one that a layer multiplies by: layouts, shapes, rotations, scales. */
const following = new Set(
  'Reshape Transpose Squeeze Unsqueeze Flatten Identity Slice Split Concat MatMul Mul Add Sub Neg'.split(' '),
);
/** Smaller ones are not worth a node. */
const LEAST = 4096;

/** Constants of at least so many numbers that take fewer bytes than float32. */
function storedSmall(graph: Graph, name: string, least: number): boolean {
  const constant = graph.constants.get(name);
  return constant !== undefined && sizeOf(constant.shape) >= least && isSmall(constant);
}

/** Values of the graph that depend on what is fed, and so are made anew by every run. */
function movingValues(graph: Graph, fed: (name: string) => boolean): Set<string> {
  const moving = new Set(graph.inputs.map((v) => v.name).filter(fed));
  for (const node of graph.nodes)
    if (reads(node).some((name) => moving.has(name)))
      for (const o of node.outputs) if (o !== '') moving.add(o);
  return moving;
}

/** Nodes that widen stored weights, and those that make of them what layers read, by the values that they make. */
function wideningNodes(graph: Graph, moving: ReadonlySet<string>, least: number): Map<string, Node> {
  const wide = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (node.domain !== '') continue;
    const begins = widening.has(node.op) && storedSmall(graph, node.inputs[0] ?? '', least);
    const goes = following.has(node.op) && node.inputs.some((name) => wide.has(name));
    if (!begins && !goes) continue;
    if (node.inputs.some((name) => moving.has(name))) continue;
    if (node.outputs.some((o) => graph.values.get(o)?.type !== 'float32')) continue;
    for (const o of node.outputs) wide.set(o, node);
  }
  return wide;
}

/** What is known of a stored weight on the way through the graph. */
interface Uses {
  /** Which copy is read at present; 0: what the graph has. */
  copy: number;
  /** Of uses of one weight after another: the last one that was this weight's. */
  run: number;
  /** The copies of the values that are made of it, by the values' names. */
  made: Map<string, string>;
}

/** The stored weights that a wide value is made of, as one name. */
function storedBehind(wide: ReadonlyMap<string, Node>, name: string): string {
  const node = wide.get(name)!;
  if (widening.has(node.op)) return node.inputs[0]!;
  const behind = node.inputs.filter((input) => wide.has(input)).map((input) => storedBehind(wide, input));
  return [...new Set(behind)].sort().join();
}

/**
 * The step with such weights made once for each time that they are read, where other weights are read in between. ONNX Runtime makes a copy when the first
 * node is due that reads it; copies differ from what they repeat in an attribute that changes nothing, since its own search for equal nodes would join them again.
 *
 * @param least numbers of a weight that is worth it
 * @param fed whether an input of the graph is what the model is run on: no state, nor what weights are turned by
 */
export function withRebuiltWeights(graph: Graph, fed: (name: string) => boolean, least = LEAST): Graph {
  const moving = movingValues(graph, fed);
  const wide = wideningNodes(graph, moving, least);
  if (wide.size === 0) return graph;
  const makers = new Set(wide.values());
  const values = new Map(graph.values);
  const constants = new Map(graph.constants);
  /** Puts a value into the graph, and a constant with it; gives the name that it got. */
  const add = (value: Value, constant?: GraphConstant): string => {
    const name = apart(value.name, values.keys());
    values.set(name, { ...value, name });
    if (constant) constants.set(name, constant);
    return name;
  };
  let copies: Node[] = [];
  const weights = new Map<string, Uses>();
  let [reader, run] = ['', 0];
  const again = (name: string, copy: number, known: Map<string, string>): string => {
    const node = wide.get(name);
    if (!node) return name;
    const before = known.get(name);
    if (before !== undefined) return before;
    const inputs = node.inputs.map((input) => again(input, copy, known));
    const outputs = node.outputs.map((o) => {
      const fresh = add({ ...values.get(o)!, name: `${o}/again${copy}` });
      known.set(o, fresh);
      return fresh;
    });
    const copied = { ...twisted(node, graph, copy), name: `${node.name}/again${copy}`, inputs, outputs };
    if (node.op === 'Cast' && copy % 2 === 1) copies.push(...asOneRow(copied, values, add));
    else copies.push(copied);
    return known.get(name)!;
  };
  let all = 0;
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (makers.has(node) || !reads(node).some((name) => wide.has(name))) return [node];
    copies = [];
    const inputs = node.inputs.map((name) => {
      if (!wide.has(name)) return name;
      const stored = storedBehind(wide, name);
      if (stored !== reader) run += 1;
      reader = stored;
      const uses = weights.get(stored) ?? { copy: 0, run, made: new Map<string, string>() };
      weights.set(stored, uses);
      if (uses.run !== run) Object.assign(uses, { copy: uses.copy + 1, run, made: new Map() });
      return uses.copy === 0 ? name : again(name, uses.copy, uses.made);
    });
    all += copies.length;
    return [...copies, { ...node, inputs }];
  });
  return all === 0 ? graph : { ...graph, nodes, constants, values };
}

/** The node again, so that ONNX Runtime's search for equal nodes does not see it: every other copy counts its axis from the other end. */
function twisted(node: Node, graph: Graph, copy: number): Node {
  if (node.op !== 'DequantizeLinear' || copy % 2 === 0) return node;
  const rank = graph.values.get(node.inputs[0]!)!.shape.length;
  const axis = node.attributes.axis?.kind === 'int' ? node.attributes.axis.value : 1;
  const other = axis < 0 ? axis + rank : axis - rank;
  return { ...node, attributes: { ...node.attributes, axis: { kind: 'int', value: other } } };
}

/** A Cast between two views, of one row and of the shape as it is: it has no attribute to tell it by. */
function asOneRow(
  node: Node,
  values: ReadonlyMap<string, Value>,
  add: (value: Value, constant?: GraphConstant) => string,
): Node[] {
  const [from, to] = [values.get(node.inputs[0]!)!, values.get(node.outputs[0]!)!];
  const row = [1, sizeOf(to.shape)];
  const view = (input: string, output: string, shape: readonly number[]): Node => {
    const constant = constantOf(tensor('int64', [shape.length], shape));
    const shapeName = add({ name: `${output}/shape`, type: 'int64', shape: [shape.length] }, constant);
    const name = `${node.name}/view`;
    return { op: 'Reshape', domain: '', name, inputs: [input, shapeName], outputs: [output], attributes: {} };
  };
  const narrow = add({ name: `${to.name}/narrow`, type: from.type, shape: row });
  const wide = add({ name: `${to.name}/row`, type: to.type, shape: row });
  return [
    view(from.name, narrow, row),
    { ...node, inputs: [narrow], outputs: [wide] },
    view(wide, to.name, to.shape),
  ];
}
