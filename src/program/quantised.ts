/**
 * @file A float model made smaller: what its layers multiply by is held in 4 or 8 bits and widened layer by layer inside the graph, as weights are that a file
 * itself stores so (rebuilt.ts). The weights in the file stay as they are, and results are made of them.
 */
import { attributes, intAttr, intsAttr } from '#src/graph/attributes.ts';
import { apart } from '#src/graph/names.ts';
import type { Rounding } from '#src/graph/rounded.ts';
import { reads, readersOf } from '#src/graph/topology.ts';
import type { Graph, GraphConstant, Value } from '#src/graph/types.ts';
import { type Bits, blockSize, scalesShape } from '#src/onnx/blockwise.ts';
import type { Constant, DType, Node } from '#src/onnx/model.ts';
import { byteLength, constantOf, sizeOf } from '#src/onnx/tensor.ts';

/** Smaller weights are not worth a node. */
const LEAST = 4096;

/** A weight that is held in fewer bits. */
export interface QuantisedWeight {
  readonly name: string;
  readonly rounding: Rounding;
  /** Bytes in float32, and with scales in fewer bits. */
  readonly before: number;
  readonly after: number;
}

/** A large float weight that is not. */
export interface FloatWeight {
  readonly name: string;
  readonly bytes: number;
  /** "is looked up by Gather embed", behind its name. */
  readonly reason: string;
}

export interface Quantised {
  readonly graph: Graph;
  /** The largest first. */
  readonly weights: readonly QuantisedWeight[];
  readonly left: readonly FloatWeight[];
}

/** The axis that a node sums over in its weight, operand `at`; null: it is no product by a weight. */
function summedAxis(node: Node, at: number, rank: number): number | null {
  const { op, domain } = node;
  if (domain !== '') return null;
  if (op === 'MatMul' && rank >= 2) return at === 1 ? rank - 2 : rank - 1;
  if (op === 'Gemm' && at === 1) return intAttr(node, 'transB', 0) === 1 ? 1 : 0;
  if (op === 'Gemm' && at === 0) return intAttr(node, 'transA', 0) === 1 ? 0 : 1;
  return op === 'Conv' && at === 1 ? 1 : null;
}

/** How a weight is used: along which of its axes everybody sums, or who does something else with it. */
type Use = { readonly axis: number } | { readonly reason: string };

const verbs: Readonly<Record<string, string>> = { Gather: 'is looked up by' };

/** Finds the axis of a weight that all its readers sum over; the first one's, where they differ. */
function useOf(graph: Graph, readers: ReadonlyMap<string, readonly Node[]>, name: string): Use {
  const { shape } = graph.values.get(name)!;
  if (graph.outputs.some((v) => v.name === name)) return { reason: 'is given out by the model' };
  let found: number | null = null;
  for (const node of readers.get(name) ?? []) {
    const is = `${verbs[node.op] ?? 'is read by'} ${node.op} ${node.name}`.trimEnd();
    if (reads(node).length > node.inputs.length) return { reason: is };
    for (const [at, input] of node.inputs.entries()) {
      if (input !== name) continue;
      const axis = axisOf(graph, readers, node, at, shape.length);
      if (axis === null) return { reason: is };
      found ??= axis;
    }
  }
  return found === null ? { reason: 'is read by nothing' } : { axis: found };
}

/** The axis of the weight that a reader sums over, by itself or in another layout. */
function axisOf(
  graph: Graph,
  readers: ReadonlyMap<string, readonly Node[]>,
  node: Node,
  at: number,
  rank: number,
): number | null {
  if (node.domain !== '' || !['Transpose', 'Identity'].includes(node.op)) return summedAxis(node, at, rank);
  const behind = useOf(graph, readers, node.outputs[0]!);
  if ('reason' in behind) return null;
  if (node.op === 'Identity') return behind.axis;
  const order = intsAttr(node, 'perm') ?? [...Array(rank).keys()].reverse();
  return order[behind.axis]!;
}

/** The parts of a rounded weight; the same objects for every program, so that the device holds each once. */
interface Parts {
  readonly rounding: Rounding;
  readonly numbers: GraphConstant;
  readonly scales: GraphConstant;
  readonly zero: Constant | null;
}

const known = new WeakMap<Constant, Map<string, Parts>>();
const zeros = new Map<string, Constant>();

/** 128 for each scale. WebGPU holds no int8; equal ones are one object. */
function zeroPoints(shape: readonly number[]): Constant {
  const key = shape.join();
  const zero =
    zeros.get(key) ??
    constantOf({ type: 'uint8', shape: [...shape], data: new Uint8Array(sizeOf(shape)).fill(128) });
  zeros.set(key, zero);
  return zero;
}

function partsOf(name: string, constant: Constant, bits: Bits, axis: number, size: number): Parts {
  const all = known.get(constant) ?? new Map<string, Parts>();
  known.set(constant, all);
  const key = `${bits} ${axis}`;
  const before = all.get(key);
  if (before) return before;
  const rounding: Rounding = { name, of: constant, bits, axis, size };
  const { shape } = constant;
  const part = (of: 'numbers' | 'scales', type: DType, shape: readonly number[]): GraphConstant => ({
    type,
    shape,
    data: { kind: 'external', location: '', offset: 0, length: byteLength(type, shape) },
    rounded: { by: rounding, part: of },
  });
  const blocks = scalesShape(shape, rounding);
  const made: Parts = {
    rounding,
    numbers: part('numbers', bits === 4 ? 'int4' : 'uint8', shape),
    scales: part('scales', 'float32', blocks),
    zero: bits === 4 ? null : zeroPoints(blocks),
  };
  all.set(key, made);
  return made;
}

const bytesOf = ({ type, shape }: Constant): number => byteLength(type, shape);

/** A weight's place in the graph once it is rounded. */
interface Placed {
  readonly weight: QuantisedWeight;
  readonly values: readonly Value[];
  readonly constants: readonly (readonly [string, GraphConstant])[];
  /** Gives the wide weight. */
  readonly widening: Node;
}

function placed(name: string, { rounding, numbers, scales, zero }: Parts, taken: Iterable<string>): Placed {
  const own = (suffix: string): string => apart(`${name}/${suffix}`, taken);
  const constants = [
    [name, numbers],
    [own('scales'), scales],
    ...(zero ? [[own('zero'), zero] as const] : []),
  ] as const;
  const { shape } = numbers;
  const wide: Value = { name: own('wide'), type: 'float32', shape };
  return {
    weight: {
      name,
      rounding,
      before: byteLength('float32', shape),
      after: bytesOf(numbers) + bytesOf(scales),
    },
    values: [...constants.map(([each, { type, shape }]) => ({ name: each, type, shape })), wide],
    constants,
    widening: {
      op: 'DequantizeLinear',
      domain: '',
      name: `${name}/widened`,
      inputs: constants.map(([each]) => each),
      outputs: [wide.name],
      attributes: attributes({ axis: rounding.axis, block_size: rounding.size }),
    },
  };
}

/**
 * The graph with its float weights in 4 or 8 bits, where products sum over them and nothing else reads them. Nodes, layers and their paths stay; a weight's
 * name is that of its rounded numbers then.
 * @param whole names of weights that are trained themselves
 */
export function quantised(graph: Graph, bits: Bits, whole: ReadonlySet<string> = new Set()): Quantised {
  const readers = readersOf(graph.nodes);
  const left: FloatWeight[] = [];
  const constants = new Map(graph.constants);
  const values = new Map(graph.values);
  const small = new Map<string, Placed>();
  for (const [name, constant] of graph.constants) {
    const { type, shape } = constant;
    if (type !== 'float32' || constant.computed || sizeOf(shape) < LEAST || !readers.has(name)) continue;
    const use = whole.has(name) ? { reason: 'is trained as a whole' } : useOf(graph, readers, name);
    const size = 'axis' in use ? blockSize(bits, shape[use.axis]!) : null;
    if ('axis' in use && size !== null) {
      const own = placed(name, partsOf(name, constant, bits, use.axis, size), values.keys());
      small.set(name, own);
      for (const value of own.values) values.set(value.name, value);
      for (const [each, part] of own.constants) constants.set(each, part);
      continue;
    }
    const reason =
      'axis' in use ? `sums over ${shape[use.axis]} numbers, which no block divides` : use.reason;
    left.push({ name, bytes: bytesOf(constant), reason });
  }
  const byBytes = left.sort((a, b) => b.bytes - a.bytes);
  if (small.size === 0) return { graph, weights: [], left: byBytes };
  return {
    graph: { ...graph, constants, values, nodes: widenedBeforeUse(graph.nodes, small) },
    weights: [...small.values()].map(({ weight }) => weight).sort((a, b) => b.before - a.before),
    left: byBytes,
  };
}

/** The nodes with each weight widened before the first one that reads it. */
function widenedBeforeUse(nodes: readonly Node[], small: ReadonlyMap<string, Placed>): Node[] {
  const there = new Set<string>();
  return nodes.flatMap((node) => {
    const read = [...new Set(node.inputs)].filter((name) => small.has(name));
    if (read.length === 0) return [node];
    const first = read.filter((name) => !there.has(name));
    for (const name of first) there.add(name);
    const inputs = node.inputs.map((name) => small.get(name)?.widening.outputs[0] ?? name);
    return [...first.map((name) => small.get(name)!.widening), { ...node, inputs }];
  });
}
