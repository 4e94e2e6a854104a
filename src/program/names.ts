/**
 * @file Names of a program: those of its own (state, reads, feeds) and those of the model, which may be the same. State and reads keep theirs, the
 * model's values give way; feeds have keys that tell them apart.
 */
import { feedKey } from '#src/graph/names.ts';
import { askedName, type Graph, type Value } from '#src/graph/types.ts';
import type { Constant } from '#src/onnx/model.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import type { Feed, Program } from './types.ts';

/** Feeds of a graph that was made from a model's, or of a model's: the model's inputs under their names, others beside them. */
export function feedsOf(inputs: readonly Value[], model: Graph): Feed[] {
  const before = new Set(model.inputs.map((v) => v.name));
  const plain = model.inputs.filter((v) => v.asked === undefined);
  return inputs.map((v): Feed => {
    const { name, type, shape } = v;
    if (before.has(name) && v.asked === undefined) return { name, type, shape };
    const own = askedName(v);
    const key = feedKey(own, plain);
    return { name: key, type, shape, own, ...(key !== name && { input: name }) };
  });
}

/** Values of the program's own feeds, by the names that it has for them, under their keys. What it does not take is left out. */
export const ownFeeds = (
  feeds: readonly Feed[],
  values: Readonly<Record<string, TypedArray>>,
): Record<string, TypedArray> =>
  Object.fromEntries(
    feeds.flatMap(({ name, own }): [string, TypedArray][] => {
      const value = own === undefined ? undefined : values[own];
      return value ? [[name, value]] : [];
    }),
  );

/**
 * The program with its inputs and outputs under the names that were asked for; a value of the model that has one of them takes the name that was
 * made up instead. What is fed is every input that is no state.
 */
export function withOwnNames(
  program: Omit<Program, 'feeds'>,
  made: Pick<Graph, 'inputs' | 'outputs' | 'values'>,
  model: Graph,
): Program {
  const names = new Map<string, string>();
  for (const { name, asked } of [...made.inputs, ...made.outputs]) {
    if (asked === undefined) continue;
    names.set(name, asked);
    if (made.values.has(asked)) names.set(asked, name);
  }
  const now = (name: string): string => names.get(name) ?? name;
  const held = new Set(program.state.map((s) => s.name));
  const feeds = feedsOf(made.inputs, model).flatMap((feed): Feed[] => {
    const { name, input = name, ...rest } = feed;
    const actual = now(input);
    return held.has(actual) ? [] : [{ name, ...rest, ...(actual !== name && { input: actual }) }];
  });
  if (names.size === 0) return { ...program, feeds };
  const stages = program.stages.map((stage) => ({
    ...stage,
    graph: renamed(stage.graph, now),
    weights: stage.weights.map(now),
  }));
  return { ...program, stages, feeds };
}

/** A graph without branches, its values under other names. */
function renamed(graph: Graph, now: (name: string) => string): Graph {
  const value = ({ name, type, shape }: Value): Value => ({ name: now(name), type, shape });
  return {
    inputs: graph.inputs.map(value),
    outputs: graph.outputs.map(value),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(now),
      outputs: node.outputs.map(now),
    })),
    constants: new Map([...graph.constants].map(([name, c]): [string, Constant] => [now(name), c])),
    values: new Map([...graph.values].map(([name, v]) => [now(name), value(v)])),
  };
}
