/** @file 30 AdamW steps of the golden MLP and conv net: LyCORIS's and PEFT's adapters under torch.optim.AdamW, losses, gradient norms, parameters and moments. */
import { describe, expect, it } from 'vitest';
import { defaultSettings, peftSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { withInverses } from '#src/oft/rotation/inverses.ts';
import { parameterLayout, readParameters, writeParameters } from '#src/oft/rotation/parameters.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { openGraph } from '#src/ops/testing/runGraph.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { type LossSum, meanOver } from '#src/optim/loss.ts';
import { compileTraining } from '#src/program/training.ts';
import { expectNear, fixture, json, largest, type OftCase, tensors } from './testing/fixtures.ts';

interface Trajectory extends OftCase {
  readonly net: 'mlp' | 'conv';
  readonly adapter: {
    readonly library: string;
    readonly algo?: string;
    readonly linear_dim?: number;
    readonly constraint?: number;
    readonly rescaled?: boolean;
    readonly use_cayley_neumann?: boolean;
  };
  readonly optimizer: {
    readonly lr: number;
    readonly betas: [number, number];
    readonly eps: number;
    readonly weight_decay: number;
  };
  readonly clip_grad_norm: { readonly max_norm: number | null };
}

const cases = (json('oft/cases.json') as Trajectory[]).filter((c) => c.kind === 'trajectory');

/**
 * How many times upstream's own gap between float32 and float64 a run may be off. That gap is one draw of the rounding noise that Adam
 * amplifies wherever |g| is near ε; another order of sums is another draw. BOFT's weight route sums over the whole weight in every stage:
 * it drifts up to 11 gaps here, its activation route (the one that is taken) under 5.
 */
const draws = (c: Trajectory, route: string): number =>
  c.adapter.algo === 'boft' && route !== 'activation' && route !== 'auto' ? 16 : 5;

it('has the cases', () => expect(cases.length).toBe(20));

/** Stem and name of the blocks in the case's files. */
const fileKey = ({ adapter }: Trajectory, path: string): readonly [string, string] =>
  adapter.library === 'peft'
    ? [`base_model.model.${path}`, 'oft_R.weight']
    : [`lycoris_${path.replaceAll('.', '_')}`, 'oft_blocks'];

/** The layers that the case's tool adapts, cut as its tensors say. */
function planOf(c: Trajectory, layers: readonly Layer[], data: ReadonlyMap<string, Tensor>): PlannedLayer[] {
  const { adapter } = c;
  return layers.flatMap((layer) => {
    const shape = data.get(`initial.${fileKey(c, layer.path).join('.')}`)?.shape;
    if (!shape) return [];
    if (adapter.library === 'peft') {
      const size = (1 + Math.sqrt(1 + 8 * shape[1]!)) / 2;
      const neumannTerms = (adapter.use_cayley_neumann ?? true) ? 5 : null;
      return plannedLayer(layer, { ...peftSettings, neumannTerms }, { count: shape[0]!, size });
    }
    const [stages, count, size] = shape.length === 4 ? shape : [1, ...shape];
    return plannedLayer(
      layer,
      {
        ...defaultSettings,
        algorithm: adapter.algo === 'boft' ? 'boft' : 'diag',
        constraint: adapter.constraint ?? 0,
        rescale: adapter.rescaled ?? false,
      },
      { count: count!, size: size!, stages: stages! },
    );
  });
}

/** mse: mean of squares; cross_entropy: mean of −log softmax at the label, the label as one-hot. */
function loss(net: Trajectory['net']) {
  return (g: Builder, outputs: ReadonlyMap<string, Value>): LossSum => {
    const y = outputs.get('output')!;
    const target = g.input('target', 'float32', y.shape);
    if (net === 'mlp') {
      const d = g.sub(y, target);
      return meanOver(g, g.reduceMean(g.reduceMean(g.mul(d, d), [1]), [0]));
    }
    const logits = g.sub(y, g.emit('ReduceLogSumExp', [y, g.ints([1])], { keepdims: 1 }));
    return meanOver(g, g.neg(g.reduceMean(g.reduceSum(g.mul(logits, target), [1]), [0])));
  };
}

const batchOf = (t: Tensor, i: number): Tensor => {
  const shape = t.shape.slice(1);
  const n = shape.reduce((p, d) => p * d, 1);
  return { type: t.type, shape, data: t.data.slice(i * n, (i + 1) * n) };
};

const oneHot = (labels: Tensor, classes: number): Tensor => {
  const rows = numbersOf(labels);
  return tensor(
    'float32',
    [rows.length, classes],
    rows.flatMap((c) => Array.from({ length: classes }, (_, i) => Number(i === c))),
  );
};

describe.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
  it.each(['gram', 'weight', 'activation', 'auto'] as const)('%s route', async (route) => {
    const data = tensors(`oft/${c.file}`);
    const graph = importGraph(decodeModel(fixture(`oft/trajectory_${c.net}.onnx`)), {});
    const planned = planOf(c, findLayers(graph), data);
    const layout = parameterLayout(planned);
    const tensorKey = (prefix: string, path: string, name: 'blocks' | 'rescale'): string => {
      const [stem, blocks] = fileKey(c, path);
      return `${prefix}.${stem}.${name === 'blocks' ? blocks : name}`;
    };
    const initial = new Map(
      planned.map((p) => {
        const get = (name: 'blocks' | 'rescale'): Float32Array | undefined =>
          data.get(tensorKey('initial', p.layer.path, name))?.data as Float32Array | undefined;
        return [p.layer.path, { blocks: get('blocks')!, rescale: get('rescale')! }] as const;
      }),
    );
    const program = compileTraining({
      graph,
      layout,
      loss: loss(c.net),
      route,
      optimiser: {
        betas: c.optimizer.betas,
        eps: c.optimizer.eps,
        weightDecay: c.optimizer.weight_decay,
        clip: c.clip_grad_norm.max_norm ?? 0,
        accumulate: 1,
        blockwiseRate: false,
      },
    });
    const begun = withInverses(layout, { theta: writeParameters(layout, initial) });
    let state: Record<string, Tensor> = Object.fromEntries(
      program.state.map((x) => [x.name, { type: x.type, shape: x.shape, data: begun[x.name] ?? x.init }]),
    );
    const run = await openGraph(program.stages[0]!.graph);
    const losses: number[] = [];
    const norms: number[] = [];
    const compare = (prefix: string, values: Tensor): void => {
      for (const p of readParameters(layout, values.data as Float32Array))
        for (const [name, got] of [
          ['blocks', p.blocks],
          ['rescale', p.rescale],
        ] as const) {
          const full = tensorKey(`expected.${prefix}`, p.layer.layer.path, name);
          const want = data.get(full);
          if (got && want)
            expectNear(
              full,
              { type: 'float32', shape: want.shape, data: got },
              want,
              draws(c, route) * c.f32_vs_f64[full]! + 1e-6 * largest(want),
              prefix === 'after_step_1' ? firstStepError(p.layer.layer.path, name, want) : undefined,
            );
          else expect([full, got === undefined]).toEqual([full, want === undefined]);
        }
    };
    /**
     * The first step is lr·g/(|g| + ε): where |g| is near ε, float32's error δ of g (an ulp of the gradient's norm) is seen lr·ε·δ/(|g| + ε)²
     * large, and ε/(|g| + ε) = 1 − |step|/lr.
     */
    const firstStepError = (path: string, name: 'blocks' | 'rescale', want: Tensor) => {
      const { lr, eps, weight_decay } = c.optimizer;
      const start = numbersOf(data.get(tensorKey('initial', path, name))!);
      const end = numbersOf(want);
      const delta = 2 ** -23 * Math.min(norms[0]!, c.clip_grad_norm.max_norm ?? Infinity);
      return (i: number): number => {
        const share = Math.min(1, Math.abs(end[i]! - start[i]! * (1 - lr * weight_decay)) / lr);
        return (lr * delta * (1 - share) ** 2) / eps;
      };
    };
    for (let i = 0; i < 30; i++) {
      const y = batchOf(data.get('y')!, i % 4);
      const out = await run.run({
        x: batchOf(data.get('x')!, i % 4),
        target: c.net === 'mlp' ? y : oneHot(y, 6),
        schedule: {
          type: 'float32',
          shape: [4],
          data: scheduleTensor(c.optimizer.lr, c.optimizer.betas, i + 1, true),
        },
        ...state,
      });
      losses.push(numbersOf(out['loss']!)[0]!);
      norms.push(numbersOf(out['grad_norm']!)[0]!);
      expect(numbersOf(out['finite']!)).toEqual([1]);
      expect(numbersOf(out['residual']!)[0]).toBeLessThan(2e-6);
      state = Object.fromEntries(program.state.map((x) => [x.name, out[x.output]!]));
      if (i === 0) compare('after_step_1', state['theta']!);
    }
    await run.release();
    const near = (name: string, got: number[], want: Tensor, share: number): void =>
      expectNear(
        name,
        tensor('float64', [30], got),
        { ...want, shape: [30] },
        draws(c, route) * share + 1e-6 * largest(want),
      );
    near('expected.losses', losses, data.get('expected.losses')!, c.f32_vs_f64['expected.losses']!);
    near(
      'expected.losses_float64',
      losses,
      data.get('expected.losses_float64')!,
      c.f32_vs_f64['expected.losses']!,
    );
    near(
      'expected.grad_norms',
      norms,
      data.get('expected.grad_norms')!,
      c.f32_vs_f64['expected.grad_norms']!,
    );
    compare('final', state['theta']!);
    compare('exp_avg', state['m']!);
    compare('exp_avg_sq', state['v']!);
  });
});
