/** @file Weights that a file keeps in Constant nodes, as Paddle2ONNX and older exporters of PyTorch do, as the initializers that they are. */
import { type Constant, type DType, type ModelGraph, type Node } from './model.ts';
import { constantOf, sizeOf, tensor } from './tensor.ts';

/** The tensor of a Constant node; undefined: it is another node, or holds text. */
export function constantOfNode({ op, domain, attributes }: Node): Constant | undefined {
  if (op !== 'Constant' || domain !== '') return undefined;
  const { value, value_int, value_ints, value_float, value_floats } = attributes;
  if (value?.kind === 'tensor') return value.value;
  if (value_float?.kind === 'float') return constantOf(tensor('float32', [], [value_float.value]));
  if (value_floats?.kind === 'floats')
    return constantOf(tensor('float32', [value_floats.value.length], value_floats.value));
  if (value_int?.kind === 'int') return constantOf(tensor('int64', [], [value_int.value]));
  if (value_ints?.kind === 'ints')
    return constantOf(tensor('int64', [value_ints.value.length], value_ints.value));
  return undefined;
}

/** What weights are made of, quantised ones, too: not shapes, indices and texts. */
const weighty: ReadonlySet<DType> = new Set<DType>([
  ...(['float32', 'float64', 'float16', 'bfloat16'] as const),
  ...(['int8', 'uint8', 'int4', 'uint4'] as const),
]);

/** The graph with its weights in one place, whatever the exporter. Shapes, indices and single numbers stay nodes. */
export function withStoredWeights(graph: ModelGraph): ModelGraph {
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    const constant = constantOfNode(node);
    const [name = ''] = node.outputs;
    if (!constant || !weighty.has(constant.type) || sizeOf(constant.shape) < 2 || name === '') return true;
    initializers.set(name, constant);
    return false;
  });
  return nodes.length === graph.nodes.length ? graph : { ...graph, nodes, initializers };
}
