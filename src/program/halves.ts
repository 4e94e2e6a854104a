/**
 * @file Weights that a file holds in float16 stay halves on the device, and are widened layer by layer inside the graph: everything is computed in float32. Small
 * models are widened when they are loaded instead, since each widening costs a pass over the weight.
 */
import { apart } from '#src/graph/names.ts';
import type { Graph, GraphConstant, Value } from '#src/graph/types.ts';
import { single } from '#src/onnx/single.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { byteLength, sizeOf } from '#src/onnx/tensor.ts';
import { layOut, withoutFrozen } from './frozen.ts';

/** What a model's halves take in float32, from which on they stay halves. */
const LEAST_TOTAL = 256 * 2 ** 20;
/** Numbers of a weight that is worth a node. */
const LEAST = 4096;

/** Equal constants stay one object: the device holds each once. */
const known = new WeakMap<GraphConstant, GraphConstant | null>();

/** The constant as halves; null where the file does not hold it so. */
function halves(constant: GraphConstant): GraphConstant | null {
  const before = known.get(constant);
  if (before !== undefined) return before;
  const made = halvesOf(constant);
  known.set(constant, made);
  return made;
}

function halvesOf(constant: GraphConstant): GraphConstant | null {
  const { data, type, by } = constant;
  if (type !== 'float32' || data.kind !== 'external') return null;
  if (!by) {
    const { stored, ...place } = data;
    return stored === 'float16' ? { ...constant, type: 'float16', data: place } : null;
  }
  // Another layout of one weight is as well made of its halves.
  const [weight, ...more] = [...by.constants.values()].filter((c) => c.type === 'float32');
  const half = weight && more.length === 0 && layOut(by.nodes) ? halves(weight) : null;
  return half && relaid(constant, by, 'float32', 'float16', (c) => (c === weight ? half : c));
}

/** A constant that is computed of another element type, given what its own are then. */
function relaid(
  { data, shape, ...constant }: GraphConstant,
  by: Graph,
  from: DType,
  to: DType,
  change: (c: GraphConstant) => GraphConstant,
): GraphConstant {
  const retyped = (v: Value): Value => (v.type === from ? { ...v, type: to } : v);
  return {
    ...constant,
    shape,
    type: to,
    data: data.kind === 'external' ? { ...data, length: byteLength(to, shape) } : data,
    by: {
      ...by,
      constants: new Map([...by.constants].map(([name, c]) => [name, change(c)])),
      values: new Map([...by.values].map(([name, v]) => [name, retyped(v)])),
      outputs: by.outputs.map(retyped),
    },
  };
}

/** @param least bytes of all such weights in float32 from which on they stay halves */
export function withHalves(graph: Graph, least = LEAST_TOTAL): Graph {
  const found = new Map<string, GraphConstant>();
  let bytes = 0;
  for (const [name, constant] of graph.constants) {
    if (sizeOf(constant.shape) < LEAST) continue;
    const half = halves(constant);
    if (!half) continue;
    found.set(name, half);
    bytes += byteLength('float32', constant.shape);
  }
  if (found.size === 0 || bytes < least) return graph;
  const constants = new Map<string, GraphConstant>(graph.constants);
  const values = new Map(graph.values);
  const fresh = (value: Value, suffix: string): Value => {
    const made = { ...value, name: apart(`${value.name}/${suffix}`, values.keys()) };
    values.set(made.name, made);
    return made;
  };
  const names = new Map<string, string>();
  for (const [name, half] of found) {
    const value = fresh({ ...values.get(name)!, type: 'float16' }, 'half');
    constants.delete(name);
    constants.set(value.name, half);
    names.set(name, value.name);
  }
  const widened = new Set<string>();
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const table = node.domain === '' && node.op === 'Gather' ? names.get(node.inputs[0]!) : undefined;
    if (table !== undefined) {
      // Rows are taken before they are widened: a table may be larger than all that is computed.
      const rows = fresh({ ...values.get(node.outputs[0]!)!, type: 'float16' }, 'half');
      const inputs = [table, ...node.inputs.slice(1)];
      return [{ ...node, inputs, outputs: [rows.name] }, cast(rows.name, node.outputs[0]!, node.name)];
    }
    const first = node.inputs.filter((name) => names.has(name) && !widened.has(name));
    return [
      ...[...new Set(first)].map((name) => {
        widened.add(name);
        return cast(names.get(name)!, name, name);
      }),
      node,
    ];
  });
  return { ...graph, nodes, constants, values };
}

const cast = (from: string, to: string, name: string): Node => ({
  op: 'Cast',
  domain: '',
  name: `${name}/widened`,
  inputs: [from],
  outputs: [to],
  attributes: { to: { kind: 'int', value: 1 } },
});

/** A program's graph with its weights as they are held on the device: what hangs on them alone is one itself, and large halves stay halves. */
export const asHeld = (graph: Graph, least?: number): Graph => withHalves(withoutFrozen(graph), least);

/** The reverse, for devices without halves: the constant in float32, converted when it is read. A Cast of it does nothing then. */
export function widened(constant: GraphConstant): GraphConstant {
  const before = wide.get(constant);
  if (before) return before;
  const made = widenedOf(constant);
  wide.set(constant, made);
  return made;
}

const wide = new WeakMap<GraphConstant, GraphConstant>();

function widenedOf(constant: GraphConstant): GraphConstant {
  const { by, type } = constant;
  return type === 'float16' && by ? relaid(constant, by, 'float16', 'float32', widened) : single(constant);
}
