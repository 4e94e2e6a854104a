/** @file Small decoded models, for tests of the import. */
import { attributes, type AttributeInput } from '#src/graph/attributes.ts';
import type { Attributes, Constant, Dim, DType, Model, ModelGraph, Node } from '#src/onnx/model.ts';
import { constantOf, sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';

type Attrs = Record<string, AttributeInput | undefined>;
export const n = (op: string, inputs: string[], outputs: string[], attrs: Attrs | Attributes = {}): Node => ({
  op,
  domain: '',
  name: `${op}/${outputs[0]}`,
  inputs,
  outputs,
  attributes: attributes(attrs),
});
export const value = (name: string, type: DType = 'float32', shape: readonly Dim[] | null = null) => ({
  name,
  type,
  shape,
});
export const ramp = (...shape: number[]): Tensor =>
  tensor(
    'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => i / 10 - 1),
  );
export const ints = (...values: number[]): Tensor => tensor('int64', [values.length], values);
export const scalar = (x: number, type: DType = 'float32'): Tensor => tensor(type, [], [x]);

export const graphOf = (
  nodes: Node[],
  initializers: Record<string, Tensor>,
  inputs: ModelGraph['inputs'],
  outputs: string[],
): ModelGraph => ({
  name: '',
  inputs,
  outputs: outputs.map((o) => value(o)),
  nodes,
  initializers: new Map(Object.entries(initializers).map(([k, t]): [string, Constant] => [k, constantOf(t)])),
});
export const model = (graph: ModelGraph, opset = 17): Model => ({
  irVersion: 8,
  opsets: new Map([['', opset]]),
  producer: '',
  metadata: new Map(),
  graph,
});
