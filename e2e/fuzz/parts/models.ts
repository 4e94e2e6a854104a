/** @file Seeded damage to ONNX files: what a broken download, a buggy exporter or a hostile file may hold. */
import { decodeModel } from '#src/onnx/decode.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Attribute, Constant, Dim, Model, ModelGraph, Node } from '#src/onnx/model.ts';
import { constantOf, tensor } from '#src/onnx/tensor.ts';

export type Random = () => number;
export type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const below = (random: Random, n: number): number => Math.floor(random() * n);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)]!;
const replaced = <T>(list: readonly T[], at: number, item: T): T[] =>
  list.map((x, i) => (i === at ? item : x));

/** Numbers that break what was written with small ones in mind. */
const absurd = [0, -1, 1, 2, 3, 7, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 40, 2 ** 53, -(2 ** 31), -(2 ** 62)];

/** Changes the decoded model and writes it again. */
const structural =
  (change: (graph: ModelGraph, random: Random, model: Model) => ModelGraph): Mutation =>
  (bytes, random) => {
    const model = decodeModel(bytes);
    return encodeModel({ ...model, graph: change(model.graph, random, model) });
  };

const nodeChange = (change: (node: Node, random: Random, graph: ModelGraph) => Node): Mutation =>
  structural((graph, random) => {
    const at = below(random, graph.nodes.length);
    return { ...graph, nodes: replaced(graph.nodes, at, change(graph.nodes[at]!, random, graph)) };
  });

const namesIn = (graph: ModelGraph): string[] => [
  ...graph.inputs.map((i) => i.name),
  ...graph.initializers.keys(),
  ...graph.nodes.flatMap((n) => n.outputs),
  '',
  'nowhere',
];

const operators = [
  'Add',
  'MatMul',
  'Conv',
  'Reshape',
  'Gather',
  'Softmax',
  'Split',
  'If',
  'Loop',
  'Slice',
  'Expand',
  'Resize',
  'Einsum',
  'Pad',
  'Tile',
  'Range',
  'NoSuchOperator',
];

function changedAttribute(a: Attribute, random: Random): Attribute {
  switch (a.kind) {
    case 'int':
      return { ...a, value: pick(random, absurd) };
    case 'float':
      return { ...a, value: pick(random, [NaN, Infinity, -1, 0, 1e38]) };
    case 'ints':
      return random() < 0.3
        ? { ...a, value: a.value.slice(1) }
        : {
            ...a,
            value: replaced(a.value, below(random, Math.max(1, a.value.length)), pick(random, absurd)),
          };
    case 'string':
      return { ...a, value: pick(random, ['', 'nonsense', 'é'.repeat(1000), `${a.value}_`]) };
    default:
      return pick<Attribute>(random, [
        { kind: 'int', value: 3 },
        { kind: 'floats', value: [] },
        { kind: 'ints', value: [] },
      ]);
  }
}

const withConstant = (graph: ModelGraph, random: Random, change: (c: Constant) => Constant): ModelGraph => {
  const names = [...graph.initializers.keys()];
  if (names.length === 0) return graph;
  const name = pick(random, names);
  return {
    ...graph,
    initializers: new Map([...graph.initializers].map(([k, c]) => [k, k === name ? change(c) : c])),
  };
};

/** A graph with an If inside an If inside …: readers that recurse run out of stack. */
function nested(depth: number): ModelGraph {
  let inner: ModelGraph = {
    name: 'leaf',
    inputs: [],
    outputs: [{ name: 'r0', type: 'float32', shape: null }],
    nodes: [{ op: 'Identity', domain: '', name: '', inputs: ['x'], outputs: ['r0'], attributes: {} }],
    initializers: new Map(),
  };
  for (let i = 1; i <= depth; i++)
    inner = {
      name: `level${i}`,
      inputs: [],
      outputs: [{ name: `r${i}`, type: 'float32', shape: null }],
      nodes: [
        {
          op: 'If',
          domain: '',
          name: `if${i}`,
          inputs: ['condition'],
          outputs: [`r${i}`],
          attributes: {
            then_branch: { kind: 'graph', value: inner },
            else_branch: { kind: 'graph', value: inner },
          },
        },
      ],
      initializers: new Map(),
    };
  return inner;
}

/** The file with two of its length-delimited stretches exchanged, as a disk that mixes up blocks leaves it. */
const shuffled: Mutation = (bytes, random) => {
  const length = 1 + below(random, Math.min(4096, bytes.length >> 1));
  const [a, b] = [below(random, bytes.length - length), below(random, bytes.length - length)];
  const out = bytes.slice();
  out.set(bytes.subarray(b, b + length), a);
  out.set(bytes.subarray(a, a + length), b);
  return out;
};

export const mutations: Readonly<Record<string, Mutation>> = {
  'bit flips': (bytes, random) => {
    const out = bytes.slice();
    for (let i = below(random, 16); i >= 0; i--) out[below(random, out.length)]! ^= 1 << below(random, 8);
    return out;
  },
  // Weights are most of a file; its structure lies at the ends.
  'bit flips near the ends': (bytes, random) => {
    const out = bytes.slice();
    for (let i = below(random, 8); i >= 0; i--) {
      const at = below(random, Math.min(2000, out.length));
      out[random() < 0.5 ? at : out.length - 1 - at]! ^= 1 << below(random, 8);
    }
    return out;
  },
  truncation: (bytes, random) => bytes.slice(0, below(random, bytes.length)),
  'shuffled blocks': shuffled,
  'shuffled nodes': structural((graph, random) => ({
    ...graph,
    nodes: graph.nodes
      .map((n) => [random(), n] as const)
      .sort(([a], [b]) => a - b)
      .map(([, n]) => n),
  })),
  'lost node': structural((graph, random) => {
    const at = below(random, graph.nodes.length);
    return { ...graph, nodes: graph.nodes.filter((_, i) => i !== at) };
  }),
  'doubled node': structural((graph, random) => ({
    ...graph,
    nodes: [...graph.nodes, pick(random, graph.nodes)],
  })),
  'rewired input': nodeChange((node, random, graph) => ({
    ...node,
    inputs: replaced(
      node.inputs,
      below(random, Math.max(1, node.inputs.length)),
      pick(random, namesIn(graph)),
    ),
  })),
  'other number of inputs': nodeChange((node, random, graph) => ({
    ...node,
    inputs: random() < 0.5 ? node.inputs.slice(1) : [...node.inputs, pick(random, namesIn(graph))],
  })),
  'other operator': nodeChange((node, random) => ({ ...node, op: pick(random, operators) })),
  'absurd attribute': nodeChange((node, random) => {
    const keys = Object.keys(node.attributes);
    if (keys.length === 0)
      return { ...node, attributes: { axis: { kind: 'int', value: pick(random, absurd) } } };
    const key = pick(random, keys);
    return {
      ...node,
      attributes: { ...node.attributes, [key]: changedAttribute(node.attributes[key]!, random) },
    };
  }),
  'absurd weight shape': structural((graph, random) =>
    withConstant(graph, random, (c) => ({
      ...c,
      shape: replaced(c.shape, below(random, Math.max(1, c.shape.length)), pick(random, absurd)),
    })),
  ),
  'other weight type': structural((graph, random) =>
    withConstant(graph, random, (c) => ({
      ...c,
      type: pick(random, ['float16', 'int64', 'uint8', 'bool', 'string', 'int4']),
    })),
  ),
  'absurd input shape': structural((graph, random) => {
    const at = below(random, graph.inputs.length);
    const dim = pick<Dim>(random, [...absurd, 'a'.repeat(5000), '0', null]);
    const input = graph.inputs[at]!;
    const shape = input.shape && replaced(input.shape, below(random, Math.max(1, input.shape.length)), dim);
    return {
      ...graph,
      inputs: replaced(graph.inputs, at, { ...input, shape: random() < 0.2 ? null : shape }),
    };
  }),
  'escaping path': structural((graph, random) =>
    withConstant(graph, random, (c) => ({
      ...c,
      data: {
        kind: 'external',
        location: pick(random, [
          '../../etc/passwd',
          '/etc/passwd',
          'C:\\secret',
          'http://host/x',
          'a/../../b',
          '..\\..\\x',
          'weights.bin',
        ]),
        offset: pick(
          random,
          absurd.filter((x) => x >= 0),
        ),
        length: pick(
          random,
          absurd.filter((x) => x >= 0),
        ),
      },
    })),
  ),
  'values out of range': structural((graph, random) =>
    withConstant(graph, random, (c) =>
      c.type === 'int64'
        ? constantOf(
            tensor(
              'int64',
              c.shape,
              Array.from({ length: c.shape.reduce((n, d) => n * d, 1) }, () => pick(random, absurd)),
            ),
          )
        : c.type === 'float32'
          ? constantOf(
              tensor(
                'float32',
                c.shape,
                Array.from({ length: c.shape.reduce((n, d) => n * d, 1) }, () =>
                  pick(random, [NaN, Infinity, 1e38]),
                ),
              ),
            )
          : c,
    ),
  ),
  'deep nesting': (_bytes, random) =>
    encodeModel({
      irVersion: 8,
      opsets: new Map([['', 17]]),
      producer: '',
      metadata: new Map(),
      graph: {
        ...nested(1 + below(random, 12)),
        inputs: [
          { name: 'x', type: 'float32', shape: [2] },
          { name: 'condition', type: 'bool', shape: [] },
        ],
      },
    }),
  'deep protobuf': (_bytes, random) => {
    // GraphProto.node.attribute.g … as raw length-delimited fields, thousands deep.
    let out = new Uint8Array([0x0a, 0x00]);
    for (let i = 0; i < 500 + below(random, 3000); i++) {
      const field = [0x3a, 0x0a, 0x2a, 0x32][i % 4]!;
      const head = [field];
      for (let n = out.length; ; n >>>= 7) {
        if (n < 128) {
          head.push(n);
          break;
        }
        head.push((n & 127) | 128);
      }
      const next = new Uint8Array(head.length + out.length);
      next.set(head);
      next.set(out, head.length);
      out = next;
    }
    const file = new Uint8Array(out.length + 2);
    file.set([0x08, 0x08]);
    file.set(out, 2);
    return file;
  },
};
