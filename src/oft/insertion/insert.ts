/** @file Rewrites a graph so that its planned layers work with rotated weights: W′ = D·CᵀW (output side) or D·W·Rᵀ (input side). */
import { floatAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import { reportIt, type Graph, GraphError, type Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { isSmall } from '#src/onnx/tensor.ts';
import { operators } from '#src/ops/table.ts';
import { cheapestRoute, forwardCosts, type Route, routeCosts, type Rows } from './cost.ts';
import { biasesOf, denseLayer } from './dense.ts';
import { blockGram } from '../rotation/gram.ts';
import type { Layout } from '../rotation/parameters.ts';
import { rotateActivation, rotateWeight } from './rotate.ts';
import type { LayerRotation } from '../rotation/rotations.ts';
import type { PlannedLayer } from '../types.ts';

/**
 * Appends `graph` to the builder with adapters in place. Values keep their names, so the builder must have begun with
 * them (`startFrom`) before it made up any.
 *
 * Three ways to a rotation's gradient, all exact:
 * - weight: plain reverse mode through W′; costs the full weight gradient. Always open.
 * - gram, for one orthogonal stage: C is orthogonal, so what C was applied to follows from what is at hand and ∂L/∂C = C·S.
 *   Output: y′ = Cᵀy, S = Σ_t y′_t (∂y′_t)ᵀ. Input: x′ = C·x, ∂x = Cᵀ∂x′, S = Σ_t ∂x_t x_tᵀ. No weight gradient, no second forward.
 *   Needs blocks inside one convolution group, and on the input side 1×1 kernels.
 * - activation: the rotation multiplies what flows through (OFTv2's input-centric form), plain reverse mode. Where blocks lie inside a group and
 *   input-side kernels are 1×1; the only one but `weight` for BOFT and the series.
 *
 * @param route 'auto' asks the cost function per layer, 'forward' that of a graph without gradients; a route that is not open for a layer falls back to weight.
 * @param whole values that stand in for constants of the graph, by their names; same number of elements
 */
export function insertAdapters(
  g: Builder,
  graph: Graph,
  layout: Layout,
  rotations: readonly LayerRotation[],
  route: Route | 'auto' | 'forward' = 'auto',
  whole: ReadonlyMap<string, Value> = new Map(),
): void {
  for (const [name, constant] of graph.constants) {
    const trained = whole.get(name);
    if (trained) g.emit('Reshape', [trained, g.ints([...constant.shape])], {}, { outputNames: [name] });
    else g.initializer(name, constant);
  }
  const byNode = new Map(layout.planned.flatMap((p, i) => p.layer.nodes.map((n) => [n, i] as const)));
  const rotated = new Map<string, Value>();
  const biases = biasesOf(graph, whole);
  const added = new Set<Node>();
  for (const node of graph.nodes) {
    if (added.has(node)) continue;
    const index = byNode.get(node.name);
    const planned = index === undefined ? undefined : layout.planned[index];
    const parts = index === undefined ? undefined : rotations[index];
    if (!planned || !parts || (!parts.rotation && !parts.rescale)) {
      g.append(node);
      continue;
    }
    if (planned.layer.kind === 'embedding') {
      const rows = g.append({ ...node, outputs: [g.fresh(`${node.name}/rows`)] })[0]!;
      const turned = rotateActivation(g, rows, planned, parts.rotation!);
      g.emit('Identity', [turned], {}, { outputNames: [node.outputs[0]!] });
      continue;
    }
    const bias = biases.get(node.name);
    const dense = denseLayer(g, node, planned, bias);
    if (!dense) {
      adapt(g, node, planned, parts, route, rotated);
      continue;
    }
    if (bias) added.add(bias);
    adapt(g, dense.node, dense.planned, parts, route, rotated);
    dense.finish();
  }
}

function adapt(
  g: Builder,
  node: Node,
  planned: PlannedLayer,
  parts: LayerRotation,
  asked: Route | 'auto' | 'forward',
  rotated: Map<string, Value>,
): void {
  const at = planned.layer.weightInput ?? 1;
  const operands = node.inputs.map((n) => (n === '' ? null : g.value(n)));
  const [x, seen, bias] = [operands[1 - at], operands[at], operands[2]];
  if (!x || !seen)
    throw new GraphError(
      `The layer ${planned.layer.path} (${node.op} ${node.name}) has no input or no weight. The file is damaged; export the model again.`,
    );
  if (g.values.get(node.outputs[0]!))
    throw new GraphError(`${node.op} ${node.name}: its output already exists.`, { cure: reportIt });
  if (x.shape.includes(0))
    throw new GraphError(
      `The layer ${planned.layer.path} gets no values: its input has the shape [${x.shape.join(', ')}]. Set the model's dimensions to 1 or more.`,
    );
  const weight = matrix(g, seen, planned);
  // Axes of 1 before the matrix are idle where x has as many; routes on what flows take the weight on the right.
  const idle = planned.layer.kind === 'conv' || seen.shape.length <= Math.max(2, x.shape.length);
  const formed = timesFormed(g, planned);
  const rows = rowsOf(node, x, planned);
  const costs = asked === 'forward' ? forwardCosts(planned, rows, formed) : routeCosts(planned, rows, formed);
  const open: Route[] = at === 1 && idle ? openRoutes(planned, parts, bias ?? null, formed) : ['weight'];
  const route =
    asked === 'auto' || asked === 'forward'
      ? cheapestRoute(costs, open)
      : open.includes(asked)
        ? asked
        : 'weight';
  if (route === 'weight') {
    const w = once(rotated, `${weight.name}|weight`, () =>
      rotateWeight(g, weight, planned, parts.rotation, parts.rescale),
    );
    const turned = idle ? w : g.reshape(w, seen.shape);
    g.append({ ...node, inputs: node.inputs.map((name, i) => (i === at ? turned.name : name)) });
  } else if (route === 'activation') rotateFlow(g, node, planned, parts, [x, weight], bias ?? null);
  else {
    const w = once(rotated, `${weight.name}|gram`, () =>
      rotateWeight(g, weight, planned, parts.trivialised, null),
    );
    rotateByGram(g, node, planned, parts, x, w, bias ?? null);
  }
}

/** A linear layer's weight without axes of 1 before the matrix. */
const matrix = (g: Builder, weight: Value, { layer }: PlannedLayer): Value =>
  layer.kind === 'linear' ? g.reshape(weight, weight.shape.slice(-2)) : weight;

/** Of a weight that is stored small each pass forms the float one anew (program/rebuilt.ts). */
function timesFormed(g: Builder, { layer }: PlannedLayer): 1 | 2 {
  const constant = g.constants.get(layer.initializer);
  if (!constant) return 1;
  const halves = constant.data.kind === 'external' && constant.data.stored === 'float16';
  return halves || isSmall(constant) ? 2 : 1;
}

function once(known: Map<string, Value>, key: string, make: () => Value): Value {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

function openRoutes(planned: PlannedLayer, parts: LayerRotation, bias: Value | null, formed: 1 | 2): Route[] {
  const { layer, size, side, algorithm } = planned;
  const pointwise = layer.kernel.every((k) => k === 1);
  const local =
    side === 'output'
      ? algorithm === 'diag'
        ? (layer.out / layer.groups) % size === 0
        : layer.groups === 1
      : pointwise;
  if (!parts.rotation || !local || !biasIsVector(bias, layer.out)) return ['weight'];
  if (!parts.trivialised || algorithm !== 'diag') return ['weight', 'activation'];
  // On the output side W′ is formed by one small product, so that it hardly pays to turn what flows: it would add nodes.
  return side === 'input' || formed === 2 ? ['weight', 'gram', 'activation'] : ['weight', 'gram'];
}

/** The rotation on what flows through: y = D·Cᵀ(Wx) + c, or y = D·W(xR) + c. */
function rotateFlow(
  g: Builder,
  node: Node,
  planned: PlannedLayer,
  { rotation, rescale }: LayerRotation,
  [x, weight]: readonly [Value, Value],
  bias: Value | null,
): void {
  const input = planned.side === 'input' ? rotateActivation(g, x, planned, rotation!) : x;
  const inner: Node = {
    ...node,
    inputs: [input.name, weight.name],
    outputs: [g.fresh(`${node.name}/flow`)],
  };
  const z = g.append(inner)[0]!;
  const turned = planned.side === 'output' ? rotateActivation(g, z, planned, rotation!) : z;
  const scaled = rescale ? g.mul(turned, channelShape(g, rescale, planned, z.shape.length)) : turned;
  const b = effectiveBias(g, node, bias);
  const name = { outputNames: [node.outputs[0]!] };
  if (b) g.emit('Add', [scaled, channelShape(g, b, planned, z.shape.length)], {}, name);
  else g.emit('Identity', [scaled], {}, name);
}

function rotateByGram(
  g: Builder,
  node: Node,
  planned: PlannedLayer,
  parts: LayerRotation,
  x: Value,
  w: Value,
  bias: Value | null,
): void {
  const scale = parts.rescale;
  const inner: Node = scale
    ? { ...node, inputs: [x.name, w.name], outputs: [g.fresh(`${node.name}/turned`)] }
    : { ...node, inputs: [x.name, w.name, ...node.inputs.slice(2)] };
  const z = g.append(inner)[0]!;
  const b = effectiveBias(g, node, bias);
  /** [∂x, S] of the inner node's cotangent; u is what S takes with it on the output side. */
  const pull = (dz: Value, wants: readonly boolean[], own: Value | null): [Value | null, Value | null] => {
    const input = planned.side === 'input';
    const dx = wants[0] || (wants[1] && input) ? inputGradient(g, inner, z, dz) : null;
    if (!wants[1]) return [dx, null];
    const gram = input ? dx && blockGram(g, planned, dx, x, null) : blockGram(g, planned, z, dz, own);
    return [wants[0] ? dx : null, gram];
  };
  if (!scale) {
    const shared = b && sharedBias(g, planned, parts, b);
    if (shared)
      g.composite('rotated layer', [x, parts.trivialised!, shared], z, (dy, wants) => [
        ...pull(dy, wants, null),
        wants[2] ? g.within('gram', () => perChannel(g, dy, planned)) : null,
      ]);
    else g.composite('rotated layer', [x, parts.trivialised!], z, (dy, wants) => pull(dy, wants, b));
    return;
  }
  const rank = z.shape.length;
  const d = channelShape(g, scale, planned, rank);
  const name = { outputNames: [node.outputs[0]!] };
  const scaled = b ? g.mul(z, d) : g.emit('Mul', [z, d], {}, name);
  const output = b ? g.emit('Add', [scaled, channelShape(g, b, planned, rank)], {}, name) : scaled;
  g.composite('rotated and rescaled layer', [x, parts.trivialised!, scale], output, (dy, wants) => [
    ...pull(g.mul(dy, d), wants, null),
    wants[2] ? perChannel(g, g.mul(z, dy), planned) : null,
  ]);
}

/** Where the sums that a frozen bias is multiplied by go (rotations.ts); null where S takes it off by itself. */
function sharedBias(g: Builder, planned: PlannedLayer, { biased }: LayerRotation, bias: Value): Value | null {
  const alone = planned.layer.nodes.length === 1 && !planned.share && planned.side === 'output';
  if (!biased || !alone || !g.constants.has(bias.name)) return null;
  biased.bias = bias;
  return biased.sums;
}

/** ∂L/∂x of a MatMul, Gemm or Conv by its own rule. */
function inputGradient(g: Builder, node: Node, z: Value, dz: Value): Value | null {
  const rule = operators[node.op]?.grad;
  if (typeof rule !== 'function')
    throw new GraphError(`${node.op} ${node.name} has no gradient.`, { cure: reportIt });
  const inputs = node.inputs.map((n) => (n === '' ? null : g.value(n)));
  return (
    rule({
      g,
      node,
      inputs,
      outputs: [z],
      grads: [dz],
      wants: inputs.map((_, i) => i === 0),
      constant: (k) => g.constantValue(inputs[k]),
    })[0] ?? null
  );
}

/** Sums over all but the output channels, last axes first. [out] */
function perChannel(g: Builder, y: Value, { layer }: PlannedLayer): Value {
  const size = y.shape.reduce((p, d) => p * d, 1);
  if (layer.kind === 'linear') return g.reduceSum(g.reshape(y, [size / layer.out, layer.out]), [0]);
  const batch = y.shape[0]!;
  return g.reduceSum(g.reduceSum(g.reshape(y, [batch, layer.out, size / batch / layer.out]), [2]), [0]);
}

const biasIsVector = (bias: Value | null, out: number): boolean =>
  bias === null ||
  (bias.shape.length <= 2 && bias.shape.at(-1) === out && bias.shape.slice(0, -1).every((d) => d === 1));

/** The bias as it is added: Gemm scales it by beta. [out] */
function effectiveBias(g: Builder, node: Node, bias: Value | null): Value | null {
  if (!bias) return null;
  const flat = g.reshape(bias, [bias.shape.at(-1)!]);
  const beta = node.op === 'Gemm' ? floatAttr(node, 'beta', 1) : 1;
  return beta === 1 ? flat : g.mul(flat, g.scalar(beta));
}

/** A vector over output channels, shaped to broadcast against the layer's output. */
function channelShape(g: Builder, v: Value, planned: PlannedLayer, rank: number): Value {
  return planned.layer.kind === 'conv'
    ? g.reshape(v, [planned.layer.out, ...Array<number>(rank - 2).fill(1)])
    : v;
}

function rowsOf(node: Node, x: Value, { layer }: PlannedLayer): Rows {
  const input = x.shape.reduce((p, d) => p * d, 1) / layer.in;
  return { input, output: input / layer.stride.reduce((p, s) => p * s, 1) };
}
