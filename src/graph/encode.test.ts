import { expect, it } from 'vitest';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Constant } from '#src/onnx/model.ts';
import { encodeGraph } from './encode.ts';
import type { Graph, Value } from './types.ts';

const value = (name: string): Value => ({ name, type: 'float32', shape: [2] });
const constant: Constant = {
  type: 'float32',
  shape: [2],
  data: { kind: 'inline', bytes: new Uint8Array(8) },
};
const node = { op: 'Op', domain: 'com.microsoft', name: 'n', attributes: {} };
const graph: Graph = {
  inputs: [value('x')],
  outputs: [value('y')],
  nodes: [{ ...node, inputs: ['x', '', 'w', 'c', '', ''], outputs: ['y'] }],
  constants: new Map([
    ['w', constant],
    ['c', constant],
  ]),
  values: new Map(['x', 'w', 'c', 'y'].map((n) => [n, value(n)])),
};

it('writes opset 21, IR 10, the domains that occur, and weights as inputs where asked', () => {
  const model = decodeModel(encodeGraph(graph, { weightsAsInputs: new Set(['w']), name: 'step' }));
  expect(model.irVersion).toBe(10);
  expect([...model.opsets]).toEqual([
    ['', 21],
    ['com.microsoft', 1],
  ]);
  expect(model.graph.name).toBe('step');
  expect(model.graph.inputs).toEqual([value('x'), value('w')]);
  expect([...model.graph.initializers.keys()]).toEqual(['c']);
});

it('leaves out absent inputs at the end, and keeps those in the middle', () => {
  const { graph: again } = decodeModel(encodeGraph(graph, { weightsAsInputs: new Set() }));
  expect(again.nodes[0]!.inputs).toEqual(['x', '', 'w', 'c']);
});

it('gives nodes of one name distinct ones', () => {
  const nodes = ['n', 'n/1', 'n', '', 'n', ''].map((name, i) => ({
    ...node,
    name,
    inputs: ['x'],
    outputs: [`y${i}`],
  }));
  const file = encodeGraph({ ...graph, nodes }, { weightsAsInputs: new Set() });
  expect(decodeModel(file).graph.nodes.map((n) => n.name)).toEqual(['n', 'n/1', 'n/2', '', 'n/3', '']);
});
