/**
 * @file A layer whose weight stays as it is stored, in few bits: its rotation becomes small nodes beside it, on the input (y = D·W·(Fᵀx) + c) or on the
 * output (y = D·F·(W·x) + c). That is exact, where merging would make the weight as large as in float32, or round it anew.
 */
import { floatAttr, intAttr } from '#src/graph/attributes.ts';
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import { type Constant, type DType, ModelError, type Node } from '#src/onnx/model.ts';
import { typeOfCode } from '#src/onnx/protobuf.ts';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import { NodeSketch } from './nodeSketch.ts';
import type { GraphEdit } from './onnxEdit.ts';
import type { ModelScope } from './onnxValues.ts';
import type { WeightUse } from './onnxWeights.ts';
import { turn } from './turnNodes.ts';

/** The float type of a value that hangs on constants alone. */
function floatType(scope: ModelScope, name: string): DType | undefined {
  let at = name;
  for (let steps = 0; steps < 64; steps++) {
    const constant = scope.constant(at);
    if (constant) return constant.type;
    const node = scope.producer(at);
    if (!node) return undefined;
    const asked = node.op === 'Cast' ? 'to' : node.op === 'DequantizeLinear' ? 'output_dtype' : null;
    const type = asked === null ? undefined : typeOfCode(intAttr(node, asked, 0));
    if (type) return type;
    at = node.inputs[node.op === 'DequantizeLinear' ? 1 : 0] ?? '';
  }
  return undefined;
}

const fewBits: ReadonlySet<DType> = new Set(['int8', 'uint8', 'int4', 'uint4']);

/** The shape of the largest tensor that a value is made of, where that is one of few bits. A float weight that the file itself rounds is none. */
function packedShape(scope: ModelScope, name: string): readonly number[] | undefined {
  let found: Constant | undefined;
  const visited = new Set<string>();
  const left = [name];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (at === '' || visited.has(at)) continue;
    visited.add(at);
    const constant = scope.constant(at);
    if (!constant) left.push(...(scope.producer(at)?.inputs ?? []));
    else if (sizeOf(constant.shape) > sizeOf(found?.shape ?? [0])) found = constant;
  }
  return found && fewBits.has(found.type) ? found.shape : undefined;
}

/** Operators around whose product nodes can be put: those that fuse more into themselves cannot. */
const open = new Set(['MatMul', 'Gemm', 'Conv', 'Gather']);

/** Whether the rotation of the weight is one of what flows: blocks inside a group, and on the input's side 1×1 kernels. */
const flows = ({ layer, side, size, algorithm, rescale }: PlannedLayer): boolean => {
  if (layer.kind === 'embedding') return !rescale;
  if (layer.kind === 'linear') return layer.weightInput !== 0;
  if (side === 'input') return layer.kernel.every((k) => k === 1);
  return algorithm === 'diag' ? (layer.out / layer.groups) % size === 0 : layer.groups === 1;
};

/**
 * The element type in which a use's rotation stands beside its weight; null where it is merged into it.
 * @throws ModelError where the weight has another size than the layer's
 */
export function besideType(use: WeightUse, planned: PlannedLayer): DType | null {
  const { node, scope, seen } = use;
  const { layer } = planned;
  if (node.op === 'MatMulNBits') {
    const [k, n] = [intAttr(node, 'K', 0), intAttr(node, 'N', 0)];
    if (k !== layer.in || n !== layer.out) throw otherSize(node, [n, k], layer);
    return floatType(scope, node.inputs[2] ?? '') ?? 'float32';
  }
  if (node.domain !== '' || !open.has(node.op) || !flows(planned)) return null;
  const shape = packedShape(scope, seen);
  if (!shape) return null;
  const numbers = (layer.in / layer.groups) * layer.out * sizeOf(layer.kernel);
  if (!layer.made && sizeOf(shape) !== numbers) throw otherSize(node, shape, layer);
  return floatType(scope, seen) ?? 'float32';
}

const otherSize = (node: Node, shape: readonly number[], layer: Layer): ModelError =>
  new ModelError(
    `${node.op} ${node.name || node.outputs[0]!} has a weight of shape [${shape.join()}], but layer ${layer.path} has ${layer.in} inputs and ${layer.out} outputs: the adapter belongs to another model. Open the model it was trained on.`,
  );

/** A node's bias: which input it is, and how often it is added. */
function biasOf(node: Node): { readonly at: number; readonly name: string; readonly times: number } | null {
  const at = node.op === 'MatMulNBits' ? 5 : node.op === 'MatMul' || node.op === 'Gather' ? -1 : 2;
  const name = node.inputs[at];
  if (!name) return null;
  return { at, name, times: node.op === 'Gemm' ? floatAttr(node, 'beta', 1) : 1 };
}

/** From this opset on Gemm works without what it adds. */
const GEMM_ALONE = 11;

/** The node without its bias, under another result. */
function bare(sketch: NodeSketch, { node, opset }: WeightUse, output: string, type: DType): Node {
  const bias = biasOf(node);
  const needed = node.op === 'Gemm' && opset < GEMM_ALONE;
  const without = needed ? [sketch.constant('zero', tensor(type, [1], [0]))] : [];
  const inputs = bias ? [...node.inputs.slice(0, bias.at), ...without] : node.inputs;
  // Optional inputs that end in absent ones are left off.
  const last = inputs.findLastIndex((name) => name !== '');
  return { ...node, inputs: inputs.slice(0, last + 1), outputs: [output] };
}

/**
 * Puts a rotation, and the scales of the output's rows, around the node of a use. The node's product is turned without its bias, which is added behind.
 * @param type element type of what flows
 */
export function turnBeside(
  edit: GraphEdit,
  use: WeightUse,
  parameters: LayerParameters,
  strength: number,
  type: DType,
): void {
  const { layer: planned, rescale } = parameters;
  const { layer, side } = planned;
  const { node } = use;
  const sketch = new NodeSketch(edit, `${node.name || node.outputs[0]!}/rotation`);
  const embedding = layer.kind === 'embedding';
  const turns = parameters.blocks.some((x) => x !== 0);
  const before = side === 'input' && !embedding && turns;
  const behind = turns && !before;
  const scales = rescale?.some((x) => x !== 1) ? rescale : undefined;
  const flow = { strength, type };
  const input = before ? turn(sketch, node.inputs[0]!, parameters, flow) : undefined;
  const own = input === undefined ? node : { ...node, inputs: node.inputs.with(0, input) };
  const output = node.outputs[0]!;
  if (!behind && !scales) {
    sketch.append(own);
    edit.replaceNode(node, sketch.nodes);
    return;
  }
  const bias = biasOf(node);
  const product = edit.fresh(`${output}/product`);
  sketch.append(bare(sketch, { ...use, node: own }, product, type));
  const perChannel = [layer.out, ...layer.kernel.map(() => 1)];
  let value = product;
  if (behind) value = turn(sketch, value, parameters, scales || bias ? flow : { ...flow, output });
  if (scales) {
    const factors = sketch.constant('D', tensor(type, perChannel, scales));
    value = sketch.emit('Mul', [value, factors], {}, bias ? undefined : output);
  }
  if (bias) {
    const times =
      bias.times === 1
        ? bias.name
        : sketch.emit('Mul', [bias.name, sketch.constant('beta', tensor(type, [], [bias.times]))]);
    const added = layer.kind === 'conv' ? sketch.emit('Reshape', [times, sketch.shape(perChannel)]) : times;
    sketch.emit('Add', [value, added], {}, output);
  }
  edit.replaceNode(node, sketch.nodes);
}
