import { describe, expect, it } from 'vitest';
import { ModelError, type ModelGraph, type Node } from '#src/onnx/model.ts';
import { prune } from './prune.ts';
import { reads, topological } from './topology.ts';
import type { Graph, Value } from './types.ts';

const node = (inputs: string[], outputs: string[], rest: Partial<Node> = {}): Node => ({
  op: 'Op',
  domain: '',
  name: outputs[0] ?? '',
  inputs,
  outputs,
  attributes: {},
  ...rest,
});
const known = (name: string): boolean => name === 'x';
const names = (nodes: readonly Node[]): string[] => nodes.map((n) => n.name);

describe('topological order', () => {
  it('leaves a valid order as it is', () => {
    const nodes = [node(['x'], ['a']), node(['x'], ['b']), node(['a', 'b', 'a', ''], ['c'])];
    expect(names(topological(nodes, known))).toEqual(['a', 'b', 'c']);
  });

  it('moves nodes behind what they read', () => {
    const nodes = [node(['b'], ['c']), node(['c', 'a'], ['d']), node(['a'], ['b']), node(['x'], ['a'])];
    expect(names(topological(nodes, known))).toEqual(['a', 'b', 'c', 'd']);
  });

  it('sorts 20,000 nodes in reverse', () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) =>
      node([i === 0 ? 'x' : `v${i - 1}`], [`v${i}`]),
    ).reverse();
    expect(names(topological(nodes, known)).slice(0, 3)).toEqual(['v0', 'v1', 'v2']);
  });

  const branch: ModelGraph = {
    name: '',
    inputs: [],
    outputs: [{ name: 'outer', type: 'float32', shape: null }],
    nodes: [node(['late', 'own'], ['t']), node(['w', 't'], ['own2'])],
    initializers: new Map([
      ['w', { type: 'float32', shape: [], data: { kind: 'inline', bytes: new Uint8Array(4) } }],
    ]),
  };
  const chooser = node(['x'], ['y'], { attributes: { then_branch: { kind: 'graph', value: branch } } });

  it('counts what subgraphs take from outside', () => {
    expect(reads(chooser)).toEqual(['x', 'late', 'own', 'outer']);
    const nodes = [chooser, node(['x'], ['late']), node(['x'], ['own']), node(['x'], ['outer'])];
    expect(names(topological(nodes, known)).at(-1)).toBe('y');
  });

  it('refuses undefined values, double definitions and cycles', () => {
    expect(() => topological([node(['nowhere'], ['a'])], known)).toThrow(
      /Op a reads "nowhere", which nothing/,
    );
    expect(() => topological([node(['x'], ['a']), node(['x'], ['a'])], known)).toThrow(/Two nodes .* a\./);
    expect(() => topological([node(['b'], ['a']), node(['a'], ['b'])], known)).toThrow(ModelError);
  });
});

it('pruning keeps what the outputs need, and the inputs', () => {
  const value = (name: string): Value => ({ name, type: 'float32', shape: [] });
  const constant = {
    type: 'float32',
    shape: [],
    data: { kind: 'inline', bytes: new Uint8Array(4) },
  } as const;
  const all = ['x', 'z', 'w', 'unused', 'a', 'b', 'c', 'mask'];
  const graph: Graph = {
    inputs: [value('x'), value('z')],
    outputs: [value('b')],
    nodes: [node(['x', 'w'], ['a']), node(['a', 'unused'], ['c']), node(['a'], ['b', 'mask'])],
    constants: new Map([
      ['w', constant],
      ['unused', constant],
    ]),
    values: new Map(all.map((n) => [n, value(n)])),
  };
  const pruned = prune(graph);
  expect(names(pruned.nodes)).toEqual(['a', 'b']);
  expect([...pruned.constants.keys()]).toEqual(['w']);
  expect([...pruned.values.keys()].sort()).toEqual(['a', 'b', 'mask', 'w', 'x', 'z']);
  expect(pruned.inputs).toHaveLength(2);
});
