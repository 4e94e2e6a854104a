/** @file Rewrites a graph so that its planned layers multiply by rotated weights: W′ = D·CᵀW (LyCORIS, output side). */
import { floatAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import { type Graph, GraphError, type Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { operators } from '#src/ops/table.ts';
import { cheaperRoute, type Route } from './cost.ts';
import { blockGram } from './gram.ts';
import type { Layout } from './parameters.ts';
import type { LayerRotation } from './rotations.ts';
import type { PlannedLayer } from './types.ts';

/**
 * Appends `graph` to the builder with adapters in place. Values keep their names, so the builder must have reserved them
 * (`startFrom`) before it made up any.
 *
 * Two ways to a rotation's gradient, both exact:
 * - weight: plain reverse mode, ∂L/∂C = W·(∂L/∂W′)ᵀ by blocks; costs the full weight gradient.
 * - gram: y′ = Cᵀy is at hand, and C is orthogonal, so y = C·y′ and ∂L/∂C = Σ y ∂y′ᵀ = C·S with S = Σ_t y′_t (∂y′_t)ᵀ by blocks:
 *   no weight gradient and no second forward. Needs every block inside one convolution group.
 *
 * @param route 'auto' asks the cost function per layer.
 */
export function insertAdapters(
  g: Builder,
  graph: Graph,
  layout: Layout,
  rotations: readonly LayerRotation[],
  route: Route | 'auto' = 'auto',
): void {
  for (const [name, constant] of graph.constants) g.initializer(name, constant);
  const byNode = new Map(layout.planned.flatMap((p, i) => p.layer.nodes.map((n) => [n, i] as const)));
  const rotated = new Map<string, Value>();
  for (const node of graph.nodes) {
    const index = byNode.get(node.name);
    const planned = index === undefined ? undefined : layout.planned[index];
    const parts = index === undefined ? undefined : rotations[index];
    if (!planned || !parts || (!parts.rotation && !parts.rescale)) {
      g.append(node);
      continue;
    }
    adapt(g, node, planned, parts, route, rotated);
  }
}

/** Reserves the graph's names in a fresh builder and adds its inputs. */
export function startFrom(g: Builder, graph: Graph): void {
  g.reserve(graph.values.keys());
  for (const v of graph.inputs) g.input(v.name, v.type, v.shape);
}

function adapt(
  g: Builder,
  node: Node,
  planned: PlannedLayer,
  parts: LayerRotation,
  asked: Route | 'auto',
  rotated: Map<string, Value>,
): void {
  const [x, weight, bias] = node.inputs.map((n) => (n === '' ? null : g.value(n)));
  if (!x || !weight) throw new GraphError(`${node.op} ${node.name}: input or weight is missing.`);
  const y = g.values.get(node.outputs[0]!) ? undefined : node.outputs[0]!;
  if (y === undefined) throw new GraphError(`${node.op} ${node.name}: its output already exists.`);
  const gramFits =
    parts.trivialised !== null &&
    blocksStayInGroups(planned) &&
    biasIsVector(bias ?? null, planned.layer.out);
  const route = !gramFits
    ? 'weight'
    : asked === 'auto'
      ? cheaperRoute(planned, outputRows(node, x, planned))
      : asked;
  const key = `${weight.name}|${route}`;
  const name = (suffix: string): string => g.fresh(`${node.name}/${suffix}`);

  if (route === 'weight') {
    const w = rotated.get(key) ?? rotateWeight(g, weight, planned, parts.rotation, parts.rescale);
    rotated.set(key, w);
    g.append({ ...node, inputs: [x.name, w.name, ...node.inputs.slice(2)] });
    return;
  }

  const w = rotated.get(key) ?? rotateWeight(g, weight, planned, parts.trivialised, null);
  rotated.set(key, w);
  const scale = parts.rescale;
  const inner: Node = scale
    ? { ...node, inputs: [x.name, w.name], outputs: [name('turned')] }
    : { ...node, inputs: [x.name, w.name, ...node.inputs.slice(2)] };
  const z = g.append(inner)[0]!;
  const dx = (dz: Value): Value | null => {
    const rule = operators[node.op]?.grad;
    if (typeof rule !== 'function') throw new GraphError(`${node.op} ${node.name} has no gradient.`);
    const inputs = inner.inputs.map((n) => (n === '' ? null : g.value(n)));
    return (
      rule({
        g,
        node: inner,
        inputs,
        outputs: [z],
        grads: [dz],
        wants: inputs.map((_, i) => i === 0),
        constant: (k) => g.constantValue(inputs[k]),
      })[0] ?? null
    );
  };
  if (!scale) {
    g.composite('rotated layer', [x, parts.trivialised!], z, (dy, wants) => [
      wants[0] ? dx(dy) : null,
      wants[1] ? blockGram(g, planned, z, dy, effectiveBias(g, node, bias ?? null)) : null,
    ]);
    return;
  }
  const d = channelShape(g, scale, planned, z.shape.length);
  const b = effectiveBias(g, node, bias ?? null);
  const scaled = b ? g.mul(z, d) : g.emit('Mul', [z, d], {}, { outputNames: [y] });
  const output = b
    ? g.emit('Add', [scaled, channelShape(g, b, planned, z.shape.length)], {}, { outputNames: [y] })
    : scaled;
  g.composite('rotated and rescaled layer', [x, parts.trivialised!, scale], output, (dy, wants) => {
    const gram = blockGram(g, planned, z, dy, null);
    const { count: n, size } = planned;
    return [
      wants[0] ? dx(g.mul(dy, d)) : null,
      wants[1] ? g.mul(gram, g.reshape(scale, [n, 1, size])) : null,
      wants[2] ? g.reshape(diagonal(g, gram), [planned.layer.out]) : null,
    ];
  });
}

/** The diagonals of [n, b, b], as [n, b]. */
function diagonal(g: Builder, blocks: Value): Value {
  const [n, b] = [blocks.shape[0]!, blocks.shape[1]!];
  const flat = g.reshape(blocks, [n, b * b]);
  return g.slice(flat, [0], [b * b], [1], [b + 1]);
}

/** W′ = D·CᵀW by blocks of the output axis; without C only the rows are scaled. */
export function rotateWeight(
  g: Builder,
  weight: Value,
  planned: PlannedLayer,
  rotation: Value | null,
  rescale: Value | null,
): Value {
  const { count: n, size: b, layer } = planned;
  const rest = weight.shape.reduce((p, d) => p * d, 1) / layer.out;
  let w = weight;
  if (rotation && layer.transposed) {
    const blocks = g.transpose(g.reshape(w, [rest, n, b]), [1, 0, 2]);
    w = g.reshape(g.transpose(g.matMul(blocks, rotation), [1, 0, 2]), weight.shape);
  } else if (rotation) w = g.reshape(g.matMul(g.mT(rotation), g.reshape(w, [n, b, rest])), weight.shape);
  if (!rescale) return w;
  return g.mul(
    w,
    layer.transposed ? rescale : g.reshape(rescale, [layer.out, ...weight.shape.slice(1).map(() => 1)]),
  );
}

const blocksStayInGroups = ({ layer, size }: PlannedLayer): boolean =>
  (layer.out / layer.groups) % size === 0;

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

/** How many times the layer's weight is applied: batch × positions. */
function outputRows(node: Node, x: Value, planned: PlannedLayer): number {
  const size = x.shape.reduce((p, d) => p * d, 1);
  if (planned.layer.kind === 'linear') return size / planned.layer.in;
  return size / planned.layer.in / planned.layer.stride.reduce((p, s) => p * s, 1);
}
