/** @file Compiles a training step: model, adapters, loss, backward and optimiser as one graph. */
import { backward } from '#src/autodiff/backward.ts';
import type { Builder } from '#src/graph/builder.ts';
import { prune } from '#src/graph/prune.ts';
import { reportIt, type Graph, GraphError, type Value } from '#src/graph/types.ts';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import type { Route } from '#src/oft/insertion/cost.ts';
import { hasDropout, keepFeed, keepLength } from '#src/oft/rotation/dropout.ts';
import { insertAdapters } from '#src/oft/insertion/insert.ts';
import { type Layout, rateScales } from '#src/oft/rotation/parameters.ts';
import { emitRotations } from '#src/oft/rotation/rotations.ts';
import { projectParameters } from '#src/oft/rotation/skew.ts';
import { withoutFrozen } from './frozen.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { builder } from '#src/ops/table.ts';
import { adamW } from '#src/optim/adamw.ts';
import { clipped, globalNorm } from '#src/optim/clip.ts';
import { divisor, lossMean, type LossSum } from '#src/optim/loss.ts';
import { withOwnNames } from './names.ts';
import type { Program, StateTensor } from './types.ts';
import { runInputs, startingParameters } from './weights.ts';

export interface OptimiserOptions {
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weightDecay: number;
  /** Largest global gradient norm; 0: no clipping. */
  readonly clip: number;
  /** Micro-steps per update, which is that of one batch of all that they hold. */
  readonly accumulate: number;
  readonly blockwiseRate: boolean;
}

export interface TrainingOptions {
  /** Static graph with the training batch bound. */
  readonly graph: Graph;
  readonly layout: Layout;
  /** Emits the loss as sum and count. Inputs that it adds to the builder become feeds. */
  readonly loss: (g: Builder, outputs: ReadonlyMap<string, Value>) => LossSum;
  readonly optimiser: OptimiserOptions;
  /** Newton–Schulz rounds for blocks larger than 4. */
  readonly rounds?: number;
  readonly route?: Route | 'auto';
}

/** Runs that the trace remembers. */
export const traceRows = 64;

/**
 * One step as a Program. State: theta, m, v; when accumulating also grad_sum, Σ ∂sum/∂θ, and loss_totals [2], Σ sum and Σ count, of the update's
 * micro-batches so far, all 0 after its last. Feeds: the model's and the loss's inputs, and `schedule` [4] (see optim/adamw.ts), and `keep`
 * (see oft/dropout.ts) where a layer has dropout. A further state, trace [traceRows, 4], holds loss, grad_norm, finite and residual of the last
 * runs, newest last, so that the host need not wait for the device at every step. Reads: loss [], grad_norm [1] before clipping, finite [1] (0: the update
 * is left out), all of the micro-batches so far taken as one batch, and residual [] of the Cayley inverses. One micro-batch that is not finite makes the
 * sums so, and the whole update is left out.
 */
export function compileTraining(options: TrainingOptions): Program {
  const { graph, layout, optimiser } = options;
  const g = builder();
  g.startFrom(graph);
  const vector = (name: string): Value => g.input(name, 'float32', [layout.size]);
  const [given, m, v] = [vector('theta'), vector('m'), vector('v')];
  const theta = projectParameters(g, layout, given);
  const keep = hasDropout(layout) ? g.input(keepFeed, 'float32', [keepLength(layout)]) : null;
  const rotations = emitRotations(g, layout, theta, { rounds: options.rounds ?? 10, keep });
  insertAdapters(g, graph, layout, rotations.layers, options.route, rotations.whole);
  const outputs = new Map(graph.outputs.map((o) => [o.name, g.value(o.name)]));
  const own = options.loss(g, outputs);
  for (const { shape } of [own.sum, own.count])
    if (shape.length !== 0)
      throw new GraphError(`A loss must be a scalar, but this one has shape [${shape.join()}].`, {
        cure: reportIt,
      });
  const schedule = g.input('schedule', 'float32', [4]);
  const [rate, correction1, correction2, apply] = g.split(schedule, 0, [1, 1, 1, 1]);

  const accumulating = optimiser.accumulate > 1;
  // Summed up, the gradient is divided by the update's count at the end; else the mean's is as cheap.
  const ownMean = accumulating ? null : lossMean(g, own);
  const found = backward(
    g,
    new Map([[(ownMean ?? own.sum).name, g.constant(tensor('float32', [], [1]))]]),
    rotations.segments,
  );
  if (found.every((x) => x === null))
    throw new GraphError(
      'The loss does not depend on any adapted layer. Adapt layers that the output passes through.',
    );
  const parts = found.map(
    (x, i) =>
      x ??
      g.constant(
        tensor('float32', rotations.segments[i]!.shape, new Float32Array(rotations.segments[i]!.shape[0]!)),
        'zero',
      ),
  );
  const ownGradient = g.concat(parts, 0);
  const sums = accumulating ? addUp(g, vector('grad_sum'), ownGradient, own) : null;
  const gradient = sums?.gradient ?? ownGradient;
  const loss = ownMean ?? sums!.loss;
  const norm = globalNorm(g, sums ? [gradient] : parts.filter((_, i) => found[i] !== null));

  // x·0 is 0 for finite x and NaN otherwise.
  const zero = g.scalar(0);
  const finite = g.emit('Equal', [g.add(g.mul(norm, zero), g.mul(loss, zero)), zero]);
  const next = adamW(
    g,
    {
      theta,
      m,
      v,
      gradient: optimiser.clip > 0 ? clipped(g, gradient, norm, optimiser.clip) : gradient,
      rate: rate!,
      correction1: correction1!,
      correction2: correction2!,
    },
    { ...optimiser, rateScales: rateScales(layout, optimiser.blockwiseRate) },
  );
  const due = g.emit('Greater', [apply!, g.scalar(0.5)]);
  const update = accumulating ? g.emit('And', [finite, due]) : finite;
  g.output(g.where(update, next.theta, theta), 'theta_next');
  g.output(g.where(update, next.m, m), 'm_next');
  g.output(g.where(update, next.v, v), 'v_next');
  for (const { name, value } of sums?.next ?? []) g.output(g.where(due, zero, value), `${name}_next`);
  const residual = rotations.residual ?? g.mul(loss, zero);
  const row = g.reshape(
    g.concat([g.reshape(loss, [1]), norm, g.cast(finite, 'float32'), g.reshape(residual, [1])], 0),
    [1, 4],
  );
  const trace = g.input('trace', 'float32', [traceRows, 4]);
  g.output(g.concat([g.slice(trace, [1], [traceRows], [0]), row], 0), 'trace_next');
  g.output(loss, 'loss');
  g.output(norm, 'grad_norm');
  g.output(g.cast(finite, 'float32'), 'finite');
  g.output(residual, 'residual');

  const pruned = withoutFrozen(prune(lowerGraph(g.build())));
  const zeros = (): Float32Array => new Float32Array(layout.size);
  const state = (name: string, init: Float32Array): StateTensor => ({
    name,
    output: `${name}_next`,
    type: 'float32',
    shape: [init.length],
    init,
  });
  const program = {
    stages: [{ name: 'step', graph: pruned, weights: runInputs(pruned) }],
    state: [
      state('theta', startingParameters(layout, graph)),
      state('m', zeros()),
      state('v', zeros()),
      ...(sums?.next ?? []).map(({ name, value }) => state(name, new Float32Array(sizeOf(value.shape)))),
      {
        name: 'trace',
        output: 'trace_next',
        type: 'float32' as const,
        shape: [traceRows, 4],
        init: new Float32Array(traceRows * 4),
      },
    ],
    reads: ['loss', 'grad_norm', 'finite', 'residual', 'trace_next'],
  };
  return withOwnNames(program, g, graph);
}

/** The sums of an update with one more micro-batch, and what loss and gradient come to so far. `next`: the sums by the name of their state. */
function addUp(
  g: Builder,
  gradSum: Value,
  ownGradient: Value,
  own: LossSum,
): {
  readonly loss: Value;
  readonly gradient: Value;
  readonly next: readonly { readonly name: string; readonly value: Value }[];
} {
  const before = g.input('loss_totals', 'float32', [2]);
  const totals = g.add(before, g.concat([g.reshape(own.sum, [1]), g.reshape(own.count, [1])], 0));
  const [sum, count] = g.split(totals, 0, [1, 1]);
  const by = divisor(g, count!);
  const gradient = g.add(gradSum, ownGradient);
  return {
    loss: g.reshape(g.div(sum!, by), []),
    gradient: g.div(gradient, by),
    next: [
      { name: 'grad_sum', value: gradient },
      { name: 'loss_totals', value: totals },
    ],
  };
}
