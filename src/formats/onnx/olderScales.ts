/** @file Weights of whole numbers in files of old opsets, whose DequantizeLinear knows no axis, or which have none. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Constant, Model, ModelGraph, Node } from '#src/onnx/model.ts';
import { constantOf, numbersOf, sizeOf, tensor, tensorOf } from '#src/onnx/tensor.ts';
import { fresh, namesIn } from './onnxEdit.ts';

/** The opset from which on DequantizeLinear exists, and from which on scales may lie along an axis. */
const [first, withAxis] = [10, 13];

/** Scales or zero points along an axis, in a shape that broadcasts against a tensor of `rank` axes. */
function along(constant: Constant, rank: number, axis: number): Constant {
  const { data } = tensorOf(constant);
  const shape = Array.from({ length: rank }, (_, i) => (i === axis ? data.length : 1));
  return constantOf({ type: constant.type, shape: data.length > 1 ? shape : [], data });
}

/**
 * The model in operators of its own opset: DequantizeLinear that import's float form brought, and that the opset lacks, as Cast, Sub and Mul.
 */
export function inOwnOpset(model: Model): Model {
  const opset = model.opsets.get('') ?? 21;
  return opset >= withAxis ? model : { ...model, graph: spelled(model.graph, opset, namesIn(model.graph)) };
}

function spelled(graph: ModelGraph, opset: number, names: Set<string>): ModelGraph {
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const [q = '', scale = '', zero = ''] = node.inputs;
    const [weight, steps, middle] = [q, scale, zero].map((name) => initializers.get(name));
    const known = node.op === 'DequantizeLinear' && node.domain === '' && weight && steps;
    if (!known || (opset >= first && sizeOf(steps.shape) === 1)) return [node];
    const rank = weight.shape.length;
    const axis = (intAttr(node, 'axis', 1) + rank) % Math.max(1, rank);
    const store = (name: string, constant: Constant): string => {
      const own = fresh(names, `${name}/along`);
      initializers.set(own, along(constant, rank, axis));
      return own;
    };
    const made: Node[] = [];
    const put = (op: string, inputs: string[], attributes: Node['attributes'] = {}): string => {
      const title = fresh(names, `${node.outputs[0]!}/${op}`);
      made.push({ op, domain: '', name: title, inputs, outputs: [title], attributes });
      return title;
    };
    let value = put('Cast', [q], { to: { kind: 'int', value: 1 } });
    if (middle) {
      const float = constantOf(tensor('float32', middle.shape, numbersOf(tensorOf(middle))));
      value = put('Sub', [value, store(zero, float)]);
    }
    put('Mul', [value, store(scale, steps)]);
    made.push({ ...made.pop()!, outputs: node.outputs });
    return made;
  });
  return { ...graph, nodes, initializers };
}
