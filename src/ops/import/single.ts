/** @file Nodes that name an element type name float32 where they named another floating-point type. */
import { castCodes } from '#src/graph/builder.ts';
import type { Attribute, Node } from '#src/onnx/model.ts';
import { single } from '#src/onnx/single.ts';

/** Attributes whose number is an element type (TensorProto.DataType). */
const typed = new Set(['to', 'dtype', 'output_dtype', 'output_datatype', 'stash_type', 'softmax_precision']);
const floating = new Set([castCodes.float16, castCodes.bfloat16, castCodes.float64]);

function attribute(name: string, a: Attribute): Attribute {
  if (a.kind === 'int' && typed.has(name) && floating.has(a.value)) return { ...a, value: castCodes.float32 };
  return a.kind === 'tensor' ? { ...a, value: single(a.value) } : a;
}

/** The node computing in float32. Nodes of its subgraphs are converted when they are read. */
export function inSingle(node: Node): Node {
  const entries = Object.entries(node.attributes);
  const attributes = entries.map(([name, a]): [string, Attribute] => [name, attribute(name, a)]);
  return attributes.every(([, a], i) => a === entries[i]![1] || sameTensor(a, entries[i]![1]))
    ? node
    : { ...node, attributes: Object.fromEntries(attributes) };
}

const sameTensor = (a: Attribute, b: Attribute): boolean =>
  a.kind === 'tensor' && b.kind === 'tensor' && a.value === b.value;
