/** @file Checks gradient rules against central finite differences along random directions. */
import { backward } from '#src/autodiff/backward.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { builder, operatorKey, operators } from '#src/ops/table.ts';
import { uniform } from './random.ts';
import { openGraph } from './runGraph.ts';

export interface InputSpec {
  readonly shape: readonly number[];
  /** Default 'float': float64, or float32 where a kernel demands it. Integers and booleans get no gradient. */
  readonly type?: DType | 'float';
  readonly values?: readonly number[];
  /** Uniform values between the two; default [-1, 1]. */
  readonly range?: readonly [number, number];
}

export interface GradCheck {
  /** Builds the function. Constants must take the inputs' element type, which is float64 or float32. */
  readonly build: (g: Builder, inputs: Value[]) => Value | Value[];
  readonly inputs: readonly InputSpec[];
  /** Which inputs want a gradient; default all float ones. */
  readonly wants?: readonly boolean[];
  /** Allowed error relative to the gradient's norm; default 1e-7 in float64, 2e-3 in float32. */
  readonly tolerance?: number;
  /** Step of the differences; default 1e-4 in float64, 2e-2 in float32. */
  readonly step?: number;
  readonly seed?: number;
  /** Forces the precision. */
  readonly type?: 'float64' | 'float32';
  /** Random directions per input; default 3. */
  readonly directions?: number;
}

export interface GradCheckResult {
  readonly type: 'float64' | 'float32';
  /** Forward nodes followed by gradient nodes. */
  readonly graph: Graph;
  /** The nodes that backward emitted. */
  readonly emitted: readonly Node[];
  /** By input; null: no dependence. */
  readonly gradients: readonly (readonly number[] | null)[];
  readonly outputs: readonly Tensor[];
}

/** Operators without a float64 kernel in onnxruntime-web's wasm provider. */
const float32Only = new Set(
  'Conv ConvTranspose DequantizeLinear BiasGelu Erf Gelu AveragePool GlobalAveragePool GlobalMaxPool LpPool InstanceNormalization GroupNormalization Softplus Softsign Elu Selu Celu HardSwish HardSigmoid LeakyRelu PRelu Mish ThresholdedRelu Resize Shrink QuickGelu FastGelu Tan Mean Asin Acos Atan Sinh Cosh Asinh Acosh Atanh'.split(
    ' ',
  ),
);

const floats: readonly string[] = ['float', 'float32', 'float64'];

interface Built {
  readonly graph: Graph;
  readonly emitted: readonly Node[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly grads: readonly (Value | null)[];
}

function construct(check: GradCheck, type: 'float64' | 'float32'): Built {
  const g = builder();
  const inputs = check.inputs.map((s, i) => {
    const t = s.type ?? 'float';
    return g.input(`x${i}`, t === 'float' ? type : t, s.shape);
  });
  const result = check.build(g, [...inputs]);
  const outputs = Array.isArray(result) ? result : [result];
  const cotangents = new Map(outputs.map((v, i) => [v.name, g.input(`cotangent${i}`, v.type, v.shape)]));
  const before = g.nodes.length;
  const wanted = inputs.filter((v, i) => wantsInput(check, v, i));
  const found = backward(g, cotangents, wanted);
  const grads = inputs.map((v) => (wanted.includes(v) ? (found[wanted.indexOf(v)] ?? null) : null));
  // A cotangent handed straight through has no node: give every gradient its own output.
  const named = grads.map((v, i) => v && g.emit('Identity', [v], {}, { outputNames: [`gradient${i}`] }));
  const emitted = g.nodes.slice(before, g.nodes.length - named.filter(Boolean).length);
  const read = outputs.map((v, i) => g.emit('Identity', [v], {}, { outputNames: [`read${i}`] }));
  return {
    graph: g.build([...read, ...named.filter((v) => v !== null)]),
    emitted,
    inputs,
    outputs: read,
    grads: named,
  };
}

const wantsInput = (check: GradCheck, v: Value, i: number): boolean =>
  floats.includes(v.type) && (check.wants?.[i] ?? true);

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, x, i) => s + x * b[i]!, 0);

/**
 * Compares the gradient of Σ cotangent·output with fourth-order central differences along random ±1 directions.
 *
 * @throws Error naming the input, the direction's number and both values where they differ.
 */
export async function checkGradient(check: GradCheck): Promise<GradCheckResult> {
  let type = check.type ?? 'float64';
  let built = construct(check, type);
  if (!check.type && built.graph.nodes.some((n) => float32Only.has(n.op))) {
    type = 'float32';
    built = construct(check, type);
  }
  const { graph, inputs, outputs, grads } = built;
  // Devices run float32, whatever precision is checked here.
  const device = type === 'float32' ? built : construct(check, 'float32');
  checkClosure(device.graph, device.emitted);
  const step = check.step ?? (type === 'float64' ? 1e-4 : 2e-2);
  const tolerance = check.tolerance ?? (type === 'float64' ? 1e-7 : 2e-3);
  const random = uniform(check.seed ?? 1);
  const between = (n: number, [low, high]: readonly [number, number]): number[] =>
    Array.from({ length: n }, () => low + (high - low) * random());

  const feeds: Record<string, Tensor> = {};
  inputs.forEach((v, i) => {
    const spec = check.inputs[i]!;
    feeds[v.name] = tensor(v.type, v.shape, spec.values ?? between(sizeOf(v.shape), spec.range ?? [-1, 1]));
  });
  const cotangents = outputs.map((v, i) => {
    const t = tensor(v.type, v.shape, between(sizeOf(v.shape), [-1, 1]));
    feeds[`cotangent${i}`] = t;
    return numbersOf(t);
  });
  const session = await openGraph(graph);
  try {
    const results = await session.run(feeds);
    const value = (r: Record<string, Tensor>): number =>
      outputs.reduce((s, v, i) => s + dot(cotangents[i]!, numbersOf(r[v.name]!)), 0);
    const magnitude = outputs.reduce(
      (s, v, i) =>
        s + cotangents[i]!.reduce((t, c, k) => t + Math.abs(c * Number(results[v.name]!.data[k])), 0),
      0,
    );
    const noise = ((type === 'float64' ? 2e-16 : 1e-7) * 4 * (magnitude + 1)) / step;
    const gradients = grads.map((v) => v && numbersOf(results[v.name]!));
    for (const [i, v] of inputs.entries()) {
      if (!wantsInput(check, v, i)) continue;
      const base = numbersOf(feeds[v.name]!);
      const gradient = gradients[i] ?? base.map(() => 0);
      const grad = grads[i];
      if (grad && grad.shape.join() !== v.shape.join())
        throw new Error(`Gradient of input ${i} has shape [${grad.shape.join()}], not [${v.shape.join()}].`);
      for (let d = 0; d < (check.directions ?? 3); d++) {
        const direction = base.map(() => (random() < 0.5 ? -1 : 1));
        const at = async (h: number): Promise<number> =>
          value(
            await session.run({
              ...feeds,
              [v.name]: tensor(
                v.type,
                v.shape,
                base.map((x, k) => x + h * direction[k]!),
              ),
            }),
          );
        const difference =
          (8 * ((await at(step)) - (await at(-step))) - ((await at(2 * step)) - (await at(-2 * step)))) /
          (12 * step);
        const analytic = dot(gradient, direction);
        const scale = Math.max(Math.abs(difference), Math.hypot(...gradient));
        if (!(Math.abs(analytic - difference) <= tolerance * scale + noise))
          throw new Error(
            `Gradient of input ${i} along direction ${d} is ${analytic}, but differences give ${difference} (${type}).`,
          );
      }
    }
    return {
      type,
      graph,
      emitted: built.emitted,
      gradients,
      outputs: outputs.map((v) => results[v.name]!),
    };
  } finally {
    await session.release();
  }
}

/**
 * Throws where a node's operator is not in the table, or has no WebGPU kernel and no lowering to operators that have. Indices count as
 * int32: programs get them so (int32.ts).
 */
export function checkClosure(graph: Pick<Graph, 'values'>, nodes: readonly Node[]): void {
  const value = (name: string): Value | null => {
    const v = graph.values.get(name);
    return v?.type === 'int64' ? { ...v, type: 'int32' } : (v ?? null);
  };
  for (const node of nodes) {
    const operator = operators[operatorKey(node)];
    if (!operator) throw new Error(`The gradient emits ${operatorKey(node)}, which the table does not hold.`);
    const outputs = node.outputs.map(value).filter((v) => v !== null);
    if (operator.webgpu?.(node, node.inputs.map(value), outputs) === false && !operator.lower)
      throw new Error(`The gradient emits ${operatorKey(node)}, which WebGPU does not run.`);
  }
}
