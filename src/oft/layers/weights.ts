/**
 * @file What a layer multiplies by: the weight as its node sees it (the effective weight), which is what a rotation turns, and the stored tensors
 * that it is made of, whatever stands between: other shapes, scales, pieces side by side or cut out, quantised numbers.
 */
import type { Graph } from '#src/graph/types.ts';
import { reads } from '#src/graph/topology.ts';
import type { Node } from '#src/onnx/model.ts';
import { sizeOf } from '#src/onnx/tensor.ts';

/** A weight that comes from stored tensors by operators that are linear in them. */
export interface StoredWeight {
  /** The tensor, or the last value that is more than another layout of it: nodes that see the same one share their weight. */
  readonly value: string;
  /** The stored tensors, the largest first. */
  readonly stored: readonly string[];
}

/** Why a value that hangs on constants alone is no weight of a layer. */
export interface NoWeight {
  readonly reason: string;
}

/** What is behind a value; null: it depends on the model's input. */
export type Behind = StoredWeight | NoWeight | null;

/** The numbers in another order, shape or type: the weight is the same. Quantised numbers are followed through their scale. */
const layout = new Set(
  'Transpose Cast Identity QuantizeLinear DequantizeLinear Reshape Squeeze Unsqueeze Flatten Dropout'.split(
    ' ',
  ),
);
/** Linear in their first input. */
const linear = new Set('Slice Split Gather Neg'.split(' '));
/** Linear in each input that is as large as the result. */
const elementwise = new Set('Mul Add Sub'.split(' '));
/** Whole numbers of these types are indices and shapes; others are quantised weights. */
const notStored = new Set(['int64', 'int32', 'bool', 'string']);

const joined = (parts: readonly StoredWeight[]): string[] => [...new Set(parts.flatMap((p) => p.stored))];

/** Looks behind values of a graph. */
export function weightTracer(graph: Graph): (name: string) => Behind {
  const producers = new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));
  const known = new Map<string, Behind>();
  const size = (name: string): number => sizeOf(graph.values.get(name)?.shape ?? []);

  function ofConstant(name: string): Behind {
    const constant = graph.constants.get(name)!;
    if (constant.computed) return { reason: 'is a table that the graph computes, not a stored weight' };
    if (notStored.has(constant.type)) return { reason: `holds whole numbers (${constant.type})` };
    return { value: name, stored: [name] };
  }

  function combined(node: Node, name: string, used: readonly string[]): Behind {
    const parts = used.map((input) => known.get(input) ?? null);
    const weights = parts.filter((p): p is StoredWeight => p !== null && 'stored' in p);
    if (weights.length > 0) return { value: name, stored: joined(weights).sort((a, b) => size(b) - size(a)) };
    const why = parts.find((p) => p !== null);
    return why ?? { reason: `is stretched by ${node.op} ${node.name} from a smaller tensor` };
  }

  function ofNode(node: Node, name: string): Behind {
    const inputs = reads(node).filter((input) => input !== '');
    if (inputs.some((input) => known.get(input) === null)) return null;
    const first = inputs.at(0);
    if (first === undefined) return { reason: `is made by ${node.op} ${node.name}` };
    if (node.domain === '') {
      if (layout.has(node.op)) return known.get(first) ?? null;
      if (linear.has(node.op)) return combined(node, name, [first]);
      if (node.op === 'Concat') return combined(node, name, inputs);
      const full = (candidates: readonly string[]): string[] =>
        candidates.filter((x) => size(x) === size(name));
      if (node.op === 'Div') return combined(node, name, full([first]));
      if (elementwise.has(node.op)) return combined(node, name, full(inputs));
    }
    return { reason: `is computed by ${node.op} ${node.name}, which no rotation of a stored weight undoes` };
  }

  /** Without recursion: chains may be as long as the graph. */
  return (wanted) => {
    const open = [wanted];
    while (open.length > 0) {
      const name = open.at(-1)!;
      const node = producers.get(name);
      if (known.has(name)) {
        open.pop();
        continue;
      }
      if (graph.constants.has(name)) known.set(name, ofConstant(name));
      else if (!node) known.set(name, null);
      else {
        const inputs = reads(node).filter((input) => input !== '');
        // One input that depends on the data settles it.
        const left = inputs.some((input) => known.get(input) === null)
          ? []
          : inputs.filter((i) => !known.has(i));
        if (left.length > 0) {
          open.push(left[0]!);
          continue;
        }
        known.set(name, ofNode(node, name));
      }
      open.pop();
    }
    return known.get(wanted)!;
  };
}
