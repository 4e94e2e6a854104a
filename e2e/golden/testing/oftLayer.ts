/** @file One golden layer as a graph with its adapter in place. */
import { defaultSettings, peftSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import { backward } from '#src/autodiff/backward.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { constantOf, numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { insertAdapters } from '#src/oft/insertion/insert.ts';
import { rotateWeight } from '#src/oft/insertion/rotate.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { type Layout, parameterLayout, writeParameters } from '#src/oft/rotation/parameters.ts';
import { emitRotations } from '#src/oft/rotation/rotations.ts';
import { projectParameters } from '#src/oft/rotation/skew.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import type { Route } from '#src/oft/insertion/cost.ts';
import { builder } from '#src/ops/table.ts';
import type { OftCase } from './fixtures.ts';

/** Linear layers come as Gemm (weight as in torch) or as MatMul + Add (weight transposed). */
export type Form = 'torch' | 'transposed';

/** The frozen layer: input x, output y. */
export function baseLayer(c: OftCase, data: ReadonlyMap<string, Tensor>, form: Form): Graph {
  const g = builder();
  const weight = data.get('weight')!;
  if (c.layer.type === 'embedding') {
    const table = g.initializer('layer.weight', constantOf(weight));
    const ids = g.constant(tensor('int32', data.get('ids')!.shape, numbersOf(data.get('ids')!)), 'ids');
    g.output(g.emit('Gather', [table, ids], { axis: 0 }, { name: '/layer/Gather' }), 'y');
    return g.build();
  }
  const x = g.input('x', 'float32', data.get('x')!.shape);
  const bias = data.has('bias') ? g.initializer('layer.bias', constantOf(data.get('bias')!)) : null;
  let y: Value;
  if (c.layer.type === 'conv2d') {
    const { kernel, stride, padding, dilation, groups } = c.layer as unknown as Record<string, number[]> & {
      groups: number;
    };
    const w = g.initializer('layer.weight', constantOf(weight));
    y = g.emit(
      'Conv',
      [x, w, ...(bias ? [bias] : [])],
      {
        kernel_shape: kernel,
        strides: stride,
        pads: [...padding!, ...padding!],
        dilations: dilation,
        group: groups,
      },
      { name: '/layer/Conv' },
    );
  } else if (form === 'torch') {
    const w = g.initializer('layer.weight', constantOf(weight));
    const rows = g.reshape(x, [x.shape.slice(0, -1).reduce((p, d) => p * d, 1), x.shape.at(-1)!]);
    const flat = g.emit('Gemm', [rows, w, ...(bias ? [bias] : [])], { transB: 1 }, { name: '/layer/Gemm' });
    y = g.reshape(flat, [...x.shape.slice(0, -1), c.layer.out]);
  } else {
    const w = g.initializer('onnx::MatMul_7', constantOf(transpose(weight)));
    const product = g.emit('MatMul', [x, w], {}, { name: '/layer/MatMul' });
    y = bias ? g.add(product, bias) : product;
  }
  g.output(y, 'y');
  return g.build();
}

function transpose(t: Tensor): Tensor {
  const [rows, columns] = [t.shape[0]!, t.shape[1]!];
  const values = numbersOf(t);
  return tensor(
    t.type,
    [columns, rows],
    values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!),
  );
}

/** The layer as the case's tool would plan it. */
function planOf(c: OftCase, data: ReadonlyMap<string, Tensor>, layer: Layer): PlannedLayer {
  const { options } = c;
  if (c.kind === 'peft-oft') {
    // The embedding's case does not say what its size snapped to: it divides.
    const asked = options.oft_block_size!;
    const { r, oft_block_size: size } = c.effective ?? { r: layer.out / asked, oft_block_size: asked };
    const neumann = options.use_cayley_neumann ?? true;
    return plannedLayer(
      layer,
      {
        ...peftSettings,
        neumannTerms: neumann ? (options.num_cayley_neumann_terms ?? 5) : null,
        constraint: options.coft ? options.eps! : 0,
      },
      { count: r, size, share: options.block_share ?? false },
    );
  }
  const shape = data.get('oft_blocks')!.shape;
  const [stages, count, size] = c.kind === 'boft' ? shape : [1, ...shape];
  return plannedLayer(
    layer,
    {
      ...defaultSettings,
      algorithm: c.kind === 'boft' ? 'boft' : 'diag',
      constraint: numbersOf(data.get('alpha') ?? tensor('float32', [], [0]))[0]!,
      rescale: options.rescaled ?? false,
    },
    { count: count!, size: size!, stages: stages! },
  );
}

/** Names of the trained tensor in the files of the case's tool. */
export const blocksKey = (c: OftCase): string => (c.kind === 'peft-oft' ? 'oft_R.weight' : 'oft_blocks');

export interface AdaptedLayer {
  readonly graph: Graph;
  readonly layout: Layout;
  readonly theta: Float32Array;
}

/** Outputs y, weight (merged, as the node sees it), grad.x, grad.segment.<i>, projected (what the step trains from); inputs x, theta, cotangent. */
export function adaptedLayer(
  c: OftCase,
  data: ReadonlyMap<string, Tensor>,
  form: Form,
  route: Route,
): AdaptedLayer {
  const base = baseLayer(c, data, form);
  const layers = findLayers(base, { embeddings: true });
  if (layers.length !== 1) throw new Error(`${c.name}: ${layers.length} layers found`);
  const layout = parameterLayout([planOf(c, data, layers[0]!)]);
  const rescale = data.get('rescale');
  const theta = writeParameters(
    layout,
    new Map([
      [
        'layer',
        {
          blocks: Float32Array.from(numbersOf(data.get(blocksKey(c))!)),
          ...(rescale && { rescale: Float32Array.from(numbersOf(rescale)) }),
        },
      ],
    ]),
  );
  const g = builder();
  g.startFrom(base);
  const x = base.inputs.length > 0 ? g.value('x') : null;
  const given = g.input('theta', 'float32', [layout.size]);
  const parameter = projectParameters(g, layout, given);
  const rotations = emitRotations(g, layout, parameter, { rounds: 16, strength: c.options.multiplier ?? 1 });
  insertAdapters(g, base, layout, rotations.layers, route);
  const y = g.value('y');
  const dy = g.input('cotangent', 'float32', y.shape);
  const merged = mergedWeight(g, layout, rotations.layers[0]!);
  const grads = backward(g, new Map([['y', dy]]), [...(x ? [x] : []), ...rotations.segments]);
  g.output(y);
  if (merged) g.output(merged, 'weight');
  g.output(parameter === given ? g.emit('Identity', [given]) : parameter, 'projected');
  if (x) g.output(grads.shift()!, 'grad.x');
  rotations.segments.forEach((_, i) => grads[i] && g.output(grads[i], `grad.segment.${i}`));
  return { graph: g.build(), layout, theta };
}

function mergedWeight(
  g: Builder,
  layout: Layout,
  parts: { rotation: Value | null; rescale: Value | null },
): Value | null {
  const planned = layout.planned[0]!;
  const weight = g.value(planned.layer.initializer);
  return planned.layer.kind !== 'embedding' && (parts.rotation || parts.rescale)
    ? rotateWeight(g, weight, planned, parts.rotation, parts.rescale)
    : null;
}
