/** @file A classifier's logits, and a new last layer for other classes. */
import { intAttr, intsAttr } from '#src/graph/attributes.ts';
import { prune } from '#src/graph/prune.ts';
import { type Graph, GraphError, type Value } from '#src/graph/types.ts';
import { type Constant, ModelError, type Node } from '#src/onnx/model.ts';
import { constantOf, numbersOf, sizeOf, tensor, tensorOf } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { type Scale, scoresOf } from '#src/tasks/scores/scores.ts';
import { random } from '#src/tasks/random.ts';

export interface Logits {
  /** Its one output is the logits. */
  readonly graph: Graph;
  /** [B, C], or with axes of 1 behind. */
  readonly value: Value;
  readonly classes: number;
  readonly scale: Scale;
  /** The model's output, before anything at its end was left out. */
  readonly output: Value;
  /** What was found at the model's end, for people. */
  readonly words: string;
}

const producersOf = (graph: Graph): ReadonlyMap<string, Node> =>
  new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));

const looksLikeScores = (v: Value): boolean =>
  v.type.startsWith('float') && v.shape.length >= 2 && v.shape[1]! > 1 && sizeOf(v.shape.slice(2)) === 1;

/** The graph up to the logits, without what makes probabilities of them. Throws ModelError if no output has scores per class. */
export function logitsOf(graph: Graph): Logits {
  const output =
    graph.outputs.find((o) => /logits/i.test(o.name) && looksLikeScores(o)) ??
    graph.outputs.find(looksLikeScores);
  if (!output)
    throw new ModelError(
      `The model has no output with a score for each class, [batch, classes]: it has ${graph.outputs.map((o) => `${o.name} [${o.shape.join()}]`).join(', ')}. With head = "auto" or "new" a model that gives embeddings can be trained, too; with others choose a model made for classification.`,
    );
  const scores = scoresOf(graph, output, 1);
  return { ...scores, graph: prune(scores.graph), output, classes: output.shape[1]! };
}

/** What the scores may pass on their way from the last layer. */
const passing = new Set(
  'Add Reshape Flatten Squeeze Unsqueeze Identity Cast GlobalAveragePool ReduceMean AveragePool Relu Transpose Mul Div Softmax Sigmoid Clip Log'.split(
    ' ',
  ),
);
const weighty = new Set(['Gemm', 'MatMul', 'Conv']);
const behind = new Set(['Transpose', 'Cast', 'Identity']);

/** The last layer: its node, the initializer of its weight, and the initializer's axis of classes. */
interface Last {
  readonly node: Node;
  readonly weight: string;
  readonly axis: number;
}

const refuse = (why: string): never => {
  throw new GraphError(
    `The model's last layer cannot be replaced: ${why}. Set head = "new" for a new layer on top of it, or head = "keep" to use the model's own classes.`,
  );
};

function findLast({ graph, value, classes }: Logits): Last {
  const producers = producersOf(graph);
  const made = (name: string): Node | undefined => producers.get(name);
  let node = made(value.name);
  while (node && !weighty.has(node.op)) {
    if (!passing.has(node.op)) refuse(`its scores come from ${node.op} ${node.name}`);
    const computed = node.inputs.filter((name) => made(name) && !isStored(graph, producers, name));
    // An embedding over its own length, a sum of two layers: what one layer gives is not the scores.
    if (new Set(computed).size > 1) refuse(`its scores come from several values by ${node.op} ${node.name}`);
    node = made(computed[0] ?? '');
  }
  if (!node) return refuse('no MatMul, Gemm or Conv stands before its scores');
  const rank = graph.values.get(node.inputs[1]!)?.shape.length ?? 0;
  if (node.op === 'MatMul' && rank !== 2) refuse(`${node.name} multiplies by a weight of rank ${rank}`);
  if (node.op === 'Conv' && intAttr(node, 'group', 1) !== 1)
    refuse(`${node.name} is a convolution in groups`);
  let axis = node.op === 'Conv' || (node.op === 'Gemm' && intAttr(node, 'transB', 0) !== 0) ? 0 : 1;
  let weight = node.inputs[1]!;
  while (!graph.constants.has(weight)) {
    const before = made(weight);
    if (!before || !behind.has(before.op))
      return refuse(
        `the weight of ${node.name} is no stored float tensor (it comes from ${before?.op ?? 'an input'})`,
      );
    if (before.op === 'Transpose')
      axis = intsAttr(before, 'perm')?.[axis] ?? graph.values.get(weight)!.shape.length - 1 - axis;
    weight = before.inputs[0]!;
  }
  if (graph.constants.get(weight)!.shape[axis] !== classes)
    refuse(
      `${node.name} gives ${graph.constants.get(weight)!.shape[axis] ?? 0} numbers for ${classes} classes`,
    );
  return { node, weight, axis };
}

/** A constant, or made of constants alone by operators that a weight may stand behind. */
function isStored(graph: Graph, producers: ReadonlyMap<string, Node>, name: string): boolean {
  while (!graph.constants.has(name)) {
    const node = producers.get(name);
    if (!node || !behind.has(node.op)) return false;
    name = node.inputs[0]!;
  }
  return true;
}

export interface NewHead extends Logits {
  /** Names of the new constants: the weight, and the bias where there is one. */
  readonly whole: readonly string[];
}

/**
 * The graph with another number of classes: the last layer's weight and bias are new, as torch.nn.Linear begins, uniform in ±1/√in,
 * under the old names; shapes behind it follow.
 *
 * @throws GraphError in words where the model's end is too unusual
 */
export function replaceHead(logits: Logits, count: number, seed: number): NewHead {
  const { graph, classes } = logits;
  const last = findLast(logits);
  const users = new Map<string, number>();
  for (const n of graph.nodes) for (const name of n.inputs) users.set(name, (users.get(name) ?? 0) + 1);
  const old = graph.constants.get(last.weight)!;
  const inner = sizeOf(old.shape) / classes;
  const numbers = random(seed, 'head', 0);
  const fresh = new Map<string, Constant>();
  const renew = (name: string, shape: readonly number[]): void => {
    if ((users.get(name) ?? 0) > 1) refuse(`${name} serves other layers too`);
    const bound = 1 / Math.sqrt(inner);
    const values = numbers.uniform(sizeOf(shape)).map((u) => (2 * u - 1) * bound);
    fresh.set(name, constantOf(tensor('float32', shape, values)));
  };
  const resized = (shape: readonly number[], axis: number): number[] =>
    shape.map((d, i) => (i === axis ? count : d));
  renew(last.weight, resized(old.shape, last.axis));

  const g = builder();
  g.startFrom(graph);
  const downstream = new Set<string>();
  const nodes = graph.nodes.map((node) => {
    const reached = node === last.node || node.inputs.some((name) => downstream.has(name));
    if (!reached) return node;
    for (const name of node.outputs) downstream.add(name);
    return { ...node, inputs: node.inputs.map((name, i) => follow(node, name, i)) };
  });

  /** What takes the place of an input behind (or beside) the new weight. */
  function follow(node: Node, name: string, i: number): string {
    const constant = graph.constants.get(name);
    if (!constant || name === last.weight) return name;
    if (node.op === 'Reshape' && i === 1) return reshaped(constant);
    const axis = constant.shape.lastIndexOf(classes);
    if (!constant.type.startsWith('float') || sizeOf(constant.shape) !== classes || axis < 0 || classes === 1)
      return name;
    if (node !== last.node && node.op !== 'Add')
      refuse(`${node.op} ${node.name} has a number for each class`);
    renew(name, resized(constant.shape, axis));
    return name;
  }
  function reshaped(shape: Constant): string {
    const sizes = numbersOf(tensorOf(shape));
    const at = sizes.lastIndexOf(classes);
    if (at < 0) return g.ints(sizes).name;
    return g.ints(resized(sizes, at)).name;
  }

  for (const [name, constant] of graph.constants) g.initializer(name, fresh.get(name) ?? constant);
  for (const node of nodes) g.append(node);
  const value = g.value(logits.value.name);
  if (value.shape[1] !== count) refuse(`its scores would have the shape [${value.shape.join()}]`);
  const { scale, words, output } = logits;
  return {
    graph: prune(g.build([value])),
    value,
    classes: count,
    scale,
    words,
    output,
    whole: [...fresh.keys()],
  };
}
