/** @file What a loss takes of a model's output: the logits before a last Softmax, LogSoftmax or Sigmoid, else the logarithm of its probabilities. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { builder } from '#src/ops/table.ts';
import { axisBefore, moving } from './axes.ts';
import { sourceOf } from './bounded.ts';
import { writtenOut } from './written.ts';

/** What a value's numbers are: any, up to a constant that a softmax takes out; or ln p, which the loss takes as it is. */
export type Scale = 'logits' | 'log-probabilities';

export interface Scores {
  /** The graph with these scores as its only output; what led to others is in it still. */
  readonly graph: Graph;
  /** Shaped like the model's output. */
  readonly value: Value;
  readonly scale: Scale;
  /** For people: what was found at the model's end. */
  readonly words: string;
}

/** Added to probabilities before their logarithm: ln p is at least −27.6, and its slope finite. */
const TINY = 1e-12;

interface Undone {
  readonly value: Value;
  readonly node: Node;
  /** p: before, the numbers were probabilities; log: their logarithms. */
  readonly space: 'p' | 'log';
}

/** Undoes the last Softmax or Sigmoid of a value, through what only moves numbers, by copies of those nodes. */
class Undoing {
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #g: Builder;
  readonly #classes: boolean;

  /** @param classes Softmax over the axis counts too; else Sigmoid alone */
  constructor(g: Builder, producers: ReadonlyMap<string, Node>, classes: boolean) {
    this.#g = g;
    this.#producers = producers;
    this.#classes = classes;
  }

  /** @param axis of the classes; null: there is none any more */
  of(name: string, axis: number | null): Undone | null {
    const node = this.#producers.get(name);
    if (!node) return null;
    const g = this.#g;
    const [input = ''] = node.inputs;
    const x = g.values.get(input);
    const y = g.value(name);
    if (!x) return null;
    if (node.op === 'Sigmoid') return { value: x, node, space: 'p' };
    if (node.op === 'Softmax' || node.op === 'LogSoftmax') {
      const own = intAttr(node, 'axis', -1);
      if (!this.#classes || axis !== (own < 0 ? own + x.shape.length : own)) return null;
      return { value: x, node, space: node.op === 'Softmax' ? 'p' : 'log' };
    }
    if (node.op === 'Log' || node.op === 'Exp') {
      const inner = this.of(input, axis);
      const space = node.op === 'Log' ? 'p' : 'log';
      return inner?.space === space ? { ...inner, space: space === 'p' ? 'log' : 'p' } : null;
    }
    if (node.op === 'Div') return this.#written(node, axis);
    if (node.op === 'Concat') return this.#joined(node, axis, y);
    if (!moving.has(node.op) || !y.type.startsWith('float')) return null;
    const inner = this.of(input, axis === null ? null : axisBefore(node, axis, x.shape, y.shape));
    return inner && { ...inner, value: this.#copy(node, [inner.value.name, ...node.inputs.slice(1)]) };
  }

  #copy(node: Node, inputs: readonly string[]): Value {
    const name = this.#g.fresh(`${node.outputs[0] ?? node.op}_scores`);
    return this.#g.append({ ...node, name, inputs, outputs: [name] })[0]!;
  }

  #written(node: Node, axis: number | null): Undone | null {
    const constant = (name: string) => this.#g.constantValue(this.#g.values.get(name))?.data ?? [];
    const found = writtenOut(node, this.#producers, (name) => Number(constant(name)[0]) === 1);
    if (!found) return null;
    const undone: Undone = { value: this.#g.value(found.input), node: { ...node, op: found.op }, space: 'p' };
    if (found.axes === null) return undone;
    const axes = Array.from(constant(found.axes), Number).map((a) =>
      a < 0 ? a + undone.value.shape.length : a,
    );
    return this.#classes && axes.length === 1 && axes[0] === axis ? undone : null;
  }

  #joined(node: Node, axis: number | null, y: Value): Undone | null {
    const given = intAttr(node, 'axis', 0);
    const along = given < 0 ? given + y.shape.length : given;
    const parts = node.inputs.map((input) => this.of(input, axis === along ? null : axis));
    const [one] = parts;
    if (!one || !parts.every((p) => p?.node.op === one.node.op && p.space === one.space)) return null;
    const names = parts.map((p) => p!.value.name);
    return { ...one, value: this.#copy(node, names) };
  }
}

const nameOf = (node: Node): string => (node.name === '' ? node.op : `${node.op} ${node.name}`);

/**
 * The scores for a loss that takes a softmax itself (`axis`: of the classes), or a sigmoid (`axis` null).
 *
 * A last Softmax or LogSoftmax over that axis, or Sigmoid, is left out: it is found through what only moves numbers, and written out, too.
 * Where something else is done to probabilities (Clip, a mean, a product), the loss is one on probabilities: their logarithm, finite at 0;
 * for a sigmoid's loss ln p − ln(1 − p). Anything else is taken as logits.
 *
 * @param output a float output of the graph
 */
export function scoresOf(graph: Graph, output: Value, axis: number | null): Scores {
  const producers = new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));
  const g = builder(graph);
  const made = (value: Value, scale: Scale, words: string): Scores => ({
    graph: g.build([value]),
    value,
    scale,
    words,
  });
  const undone = new Undoing(g, producers, axis !== null).of(output.name, axis);
  if (undone)
    return made(undone.value, 'logits', `logits: the last ${nameOf(undone.node)} is left out in training`);
  let last = producers.get(output.name);
  while (last && moving.has(last.op)) last = producers.get(last.inputs[0]!);
  const logarithm =
    last?.op === 'Log'
      ? sourceOf(graph, producers, last.inputs[0]!)
      : last?.op === 'LogSoftmax'
        ? last
        : null;
  const source = logarithm ?? sourceOf(graph, producers, output.name);
  if (!source) return made(output, 'logits', 'logits: the output as it is');
  const before = last!.outputs[0] === output.name && last!.op === 'Log' ? last!.inputs[0]! : null;
  const p = before ? g.value(before) : logarithm ? g.exp(output) : output;
  const tiny = g.scalar(TINY, p.type);
  const lnP = g.log(g.add(p, tiny));
  const words = `probabilities: what follows the last ${nameOf(source)} cannot be undone, so the loss is −ln p`;
  if (axis === null) {
    const rest = g.log(g.add(g.sub(g.scalar(1, p.type), p), tiny));
    return made(g.sub(lnP, rest), 'logits', words);
  }
  // Shares of several Sigmoids do not sum to 1: a softmax of ln p makes them.
  return made(lnP, source.op === 'Softmax' ? 'log-probabilities' : 'logits', words);
}
