/** @file 64-bit integer inputs as 32-bit ones: WebGPU has no 64-bit integers, and tokens and timesteps fit. */
import { castCodes } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { Constant, DType, Node } from '#src/onnx/model.ts';
import { constantOf, numbersOf, tensor, tensorOf } from '#src/onnx/tensor.ts';

type Slots = readonly number[] | 'all';

/** Operators that compute on int32 as on int64, and the inputs that share their output's type. */
export const dataSlots: Readonly<Record<string, Slots>> = {
  ...Object.fromEntries(
    (
      'Reshape Squeeze Unsqueeze Flatten Transpose Expand Slice Split Tile Identity Gather GatherElements GatherND Neg Abs Sign CumSum ' +
      'Trilu ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd'
    )
      .split(' ')
      .map((op) => [op, [0]]),
  ),
  ...Object.fromEntries(
    'Concat Add Sub Mul Div Mod Max Min Clip Equal Less LessOrEqual Greater GreaterOrEqual'
      .split(' ')
      .map((op) => [op, 'all' as const]),
  ),
  Where: [1, 2],
  Pad: [0, 2],
  ScatterElements: [0, 2],
  ScatterND: [0, 2],
};

/** Inputs that may be int32 without any effect on the output's type. */
const indifferent: Readonly<Record<string, Slots>> = {
  Cast: [0],
  ArgMax: [0],
  ArgMin: [0],
  OneHot: [0],
  Gather: [1],
  GatherElements: [1],
  ScatterElements: [1],
};

/** Whether input i is among the slots. */
export const hasSlot = (slots: Slots | undefined, i: number): boolean =>
  slots === 'all' || (slots?.includes(i) ?? false);

const isCastTo64 = (node: Node): boolean =>
  node.domain === '' &&
  node.op === 'Cast' &&
  node.attributes.to?.kind === 'int' &&
  node.attributes.to.value === castCodes.int64;

/**
 * The graph with its int64 inputs and what it casts to int64 taken as int32, and everything computed from them in int32 where the operators
 * allow it. Casts
 * are put only where they do not. Outputs keep their types. Values must lie within ±2³¹.
 */
export function int32Inputs(graph: Graph): Graph {
  if (!graph.inputs.some((v) => v.type === 'int64') && !graph.nodes.some(isCastTo64)) return graph;
  return new Narrowing(graph).result();
}

class Narrowing {
  readonly #nodes: Node[] = [];
  readonly #values: Map<string, Value>;
  readonly #constants: Map<string, Constant>;
  /** Names of values that were int64 and are int32 now. */
  readonly #narrow = new Set<string>();
  /** Name and type → the name of the value in that type. */
  readonly #casts = new Map<string, string>();
  readonly #inputs: Value[];

  constructor(readonly graph: Graph) {
    this.#values = new Map(graph.values);
    this.#constants = new Map(graph.constants);
    const outputs = new Set(graph.outputs.map((v) => v.name));
    this.#inputs = graph.inputs.map((v) =>
      v.type === 'int64' && !outputs.has(v.name) ? this.#retype(v.name) : v,
    );
    for (const node of graph.nodes) this.#convert(node, outputs);
  }

  result(): Graph {
    return {
      inputs: this.#inputs,
      outputs: this.graph.outputs,
      nodes: this.#nodes,
      constants: this.#constants,
      values: this.#values,
    };
  }

  #retype(name: string): Value {
    const value: Value = { ...this.#values.get(name)!, type: 'int32' };
    this.#values.set(name, value);
    this.#narrow.add(name);
    return value;
  }

  #convert(node: Node, outputs: ReadonlySet<string>): void {
    const [made] = node.outputs;
    if (isCastTo64(node) && made !== undefined && !outputs.has(made)) {
      this.#retype(made);
      this.#nodes.push({ ...node, attributes: { to: { kind: 'int', value: castCodes.int32 } } });
      return;
    }
    if (!node.inputs.some((n) => this.#narrow.has(n))) {
      this.#nodes.push(node);
      return;
    }
    const standard = node.domain === '';
    const slots = standard ? dataSlots[node.op] : undefined;
    const touched = node.inputs.some((n, i) => hasSlot(slots, i) && this.#narrow.has(n));
    const follows =
      touched &&
      node.inputs.every((n, i) => !hasSlot(slots, i) || this.#fits(n)) &&
      !node.outputs.some((o) => outputs.has(o) && this.#values.get(o)?.type === 'int64');
    const inputs = node.inputs.map((n, i) => {
      if (n === '') return n;
      if (follows && hasSlot(slots, i)) return this.#as(n, 'int32');
      const accepted = standard && hasSlot(indifferent[node.op], i);
      return this.#narrow.has(n) && !accepted ? this.#as(n, 'int64') : n;
    });
    this.#nodes.push({ ...node, inputs });
    if (follows) for (const o of node.outputs) if (this.#values.get(o)?.type === 'int64') this.#retype(o);
  }

  /** Whether a value can be had as int32: constants must be small enough. */
  #fits(name: string): boolean {
    const constant = this.#constants.get(name);
    if (!constant || constant.type !== 'int64') return true;
    return (
      constant.data.kind === 'inline' && numbersOf(tensorOf(constant)).every((x) => Math.abs(x) < 2 ** 31)
    );
  }

  #as(name: string, type: DType): string {
    const value = this.#values.get(name)!;
    if (value.type === type) return name;
    const key = `${name} ${type}`;
    const known = this.#casts.get(key);
    if (known !== undefined) return known;
    let cast = `${name}/${type}`;
    while (this.#values.has(cast)) cast += '_';
    this.#casts.set(key, cast);
    this.#values.set(cast, { name: cast, type, shape: value.shape });
    const constant = this.#constants.get(name);
    if (constant)
      this.#constants.set(cast, constantOf(tensor(type, constant.shape, numbersOf(tensorOf(constant)))));
    else
      this.#nodes.push({
        op: 'Cast',
        domain: '',
        name: cast,
        inputs: [name],
        outputs: [cast],
        attributes: { to: { kind: 'int', value: castCodes[type] } },
      });
    return cast;
  }
}
