/** @file Compiles a training step: model, adapters, loss, backward and optimiser as one graph. */
import { backward } from '#src/autodiff/backward.ts';
import { takeShortcuts } from '#src/autodiff/shortcuts.ts';
import type { Builder } from '#src/graph/builder.ts';
import { askedName, reportIt, type Graph, GraphError, type Value } from '#src/graph/types.ts';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import type { Route } from '#src/oft/insertion/cost.ts';
import { hasDropout, keepFeed, keepLength } from '#src/oft/rotation/dropout.ts';
import { hostInverses, inverseGroups, inverseName } from '#src/oft/rotation/inverses.ts';
import { insertAdapters } from '#src/oft/insertion/insert.ts';
import { type Layout, rateScales } from '#src/oft/rotation/parameters.ts';
import { emitRotations, type Rotations } from '#src/oft/rotation/rotations.ts';
import { projectParameters } from '#src/oft/rotation/skew.ts';
import { asHeld } from './halves.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { builder } from '#src/ops/table.ts';
import { adamW } from '#src/optim/adamw.ts';
import { clipped, globalNorm } from '#src/optim/clip.ts';
import { divisor, lossMean, type LossSum } from '#src/optim/loss.ts';
import { withOwnNames } from './names.ts';
import { withSplits } from './optimise/chunks.ts';
import { optimise } from './optimise/optimise.ts';
import { withRebuiltWeights } from './rebuilt.ts';
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
  /** Newton–Schulz rounds for blocks larger than 4, from the last step's inverses on; 3 without. */
  readonly rounds?: number;
  readonly route?: Route | 'auto';
}

/** What makes fewer nodes of the model and of its step; the numbers stay the same. */
export interface Passes {
  readonly model: (graph: Graph) => Graph;
  readonly step: (graph: Graph) => Graph;
}

const passes: Passes = { model: withSplits, step: optimise };

/** Runs that the trace remembers. */
export const traceRows = 64;

/** State that holds the sums of an update's micro-batches so far, when accumulating: 0 between updates. */
export const updateSums: readonly string[] = ['grad_sum', 'loss_totals'];

/**
 * One step as a Program. State: theta, m, v; `inverse_<group>`, the inverses that it found (see oft/rotation/inverses.ts); when accumulating also grad_sum, Σ ∂sum/∂θ, and loss_totals [2], Σ sum and Σ count, of the update's
 * micro-batches so far, all 0 after its last. Feeds: the model's and the loss's inputs, and `schedule` [4] (see optim/adamw.ts), and `keep`
 * (see oft/dropout.ts) where a layer has dropout. A further state, trace [traceRows, 4], holds loss, grad_norm, finite and residual of the last
 * runs, newest last, so that the host need not wait for the device at every step. Reads: loss [], grad_norm [1] before clipping, finite [1] (0: the update
 * is left out), all of the micro-batches so far taken as one batch, and residual [] of the Cayley inverses. One micro-batch that is not finite makes the
 * sums so, and the whole update is left out.
 */
export function compileTraining(given: TrainingOptions, { model, step: ofStep }: Passes = passes): Program {
  const options = { ...given, graph: model(given.graph) };
  const { graph, layout, optimiser } = options;
  const g = builder();
  g.startFrom(graph);
  const carried = vectors(g, layout);
  const adapted = adapt(g, carried, options);
  const own = g.within('loss', () => scalarLoss(g, options));
  const total = gradientOf(g, own, adapted.segments, layout, optimiser.accumulate > 1);
  const finite = isFinite(g, total);
  const sums = g.within('update', () => update(g, carried, adapted, total, finite, options));
  g.within('trace', () => trace(g, total, finite, adapted.residual ?? g.mul(total.loss, g.scalar(0))));
  const state = stateOf(graph, layout, sums);
  const still = new Set([...state.map(({ name }) => name), keepFeed, 'schedule']);
  const fed = new Set(g.inputs.filter((v) => !still.has(askedName(v))).map(({ name }) => name));
  const step = withRebuiltWeights(asHeld(ofStep(lowerGraph(g.build()))), (name) => fed.has(name));
  const program = {
    stages: [{ name: 'step', graph: step, weights: runInputs(step) }],
    state,
    reads: ['loss', 'grad_norm', 'finite', 'residual', 'trace_next'],
  };
  return withOwnNames(program, g, graph);
}

/** What the optimiser carries from step to step, each [P]. */
interface Carried {
  readonly theta: Value;
  readonly m: Value;
  readonly v: Value;
  /** M of each group [count, b, b], by the group's name. */
  readonly inverses: ReadonlyMap<string, Value>;
}

const vector = (g: Builder, name: string, { size }: Layout): Value => g.input(name, 'float32', [size]);

const vectors = (g: Builder, layout: Layout): Carried => ({
  theta: vector(g, 'theta', layout),
  m: vector(g, 'm', layout),
  v: vector(g, 'v', layout),
  inverses: new Map(
    inverseGroups(layout).map((group) => {
      const { name, count, size } = group;
      return [name, g.input(inverseName(group), 'float32', [count, size, size])];
    }),
  ),
});

/** What the forward pass makes of the state. */
interface Adapted extends Pick<Rotations, 'segments' | 'residual' | 'inverses'> {
  /** As the constraint has it. */
  readonly theta: Value;
}

/** Puts the rotations of θ into the graph's layers. */
function adapt(g: Builder, carried: Carried, options: TrainingOptions): Adapted {
  const { graph, layout, rounds = 3, route } = options;
  const theta = projectParameters(g, layout, carried.theta);
  const keep = hasDropout(layout) ? g.input(keepFeed, 'float32', [keepLength(layout)]) : null;
  const { layers, whole, ...made } = g.within('rotation', () =>
    emitRotations(g, layout, theta, { rounds, keep, last: carried.inverses }),
  );
  g.within('rotation', () => insertAdapters(g, graph, layout, layers, route, whole));
  return { ...made, theta };
}

/** The task's loss of the graph as it stands. Throws GraphError where it is no scalar. */
function scalarLoss(g: Builder, { graph, loss }: TrainingOptions): LossSum {
  const own = loss(g, new Map(graph.outputs.map((o) => [o.name, g.value(o.name)])));
  for (const { shape } of [own.sum, own.count])
    if (shape.length !== 0)
      throw new GraphError(`A loss must be a scalar, but this one has shape [${shape.join()}].`, {
        cure: reportIt,
      });
  return own;
}

/** Loss [], gradient [P] and its norm [1] of all micro-batches of the update so far. */
interface Total {
  readonly loss: Value;
  readonly gradient: Value;
  readonly norm: Value;
  /** The sums that go on to the next micro-batch, by the name of their state. */
  readonly sums: readonly Named[];
}

interface Named {
  readonly name: string;
  readonly value: Value;
}

/** Differentiates by the segments of θ. A segment that the loss does not hang on has gradient 0. Throws GraphError where none does. */
function gradientOf(
  g: Builder,
  own: LossSum,
  segments: readonly Value[],
  layout: Layout,
  accumulating: boolean,
): Total {
  // Summed up, the gradient is divided by the update's count at the end; else the mean's is as cheap.
  const mean = accumulating ? null : lossMean(g, own);
  takeShortcuts(g);
  const one = g.constant(tensor('float32', [], [1]));
  const found = backward(g, new Map([[(mean ?? own.sum).name, one]]), segments);
  if (found.every((x) => x === null))
    throw new GraphError(
      'The loss does not depend on any adapted layer. Adapt layers that the output passes through.',
    );
  const zeros = (shape: readonly number[]): Value =>
    g.constant(tensor('float32', shape, new Float32Array(shape[0]!)), 'zero');
  const gradient = g.concat(
    found.map((x, i) => x ?? zeros(segments[i]!.shape)),
    0,
  );
  if (mean !== null) {
    const parts = found.filter((x) => x !== null);
    return { loss: mean, gradient, norm: globalNorm(g, parts), sums: [] };
  }
  const total = addUp(g, vector(g, 'grad_sum', layout), gradient, own);
  return { ...total, norm: globalNorm(g, [total.gradient]) };
}

/** Whether loss and gradient are: x·0 is 0 for finite x and NaN otherwise. */
function isFinite(g: Builder, { loss, norm }: Total): Value {
  const zero = g.scalar(0);
  return g.emit('Equal', [g.add(g.mul(norm, zero), g.mul(loss, zero)), zero]);
}

/** AdamW's step, taken where it is finite and, when accumulating, due. Returns the sums of micro-batches that are state. */
function update(
  g: Builder,
  { m, v, inverses }: Carried,
  { theta, ...made }: Adapted,
  { gradient, norm, sums }: Total,
  finite: Value,
  { layout, optimiser }: TrainingOptions,
): readonly Named[] {
  const schedule = g.input('schedule', 'float32', [4]);
  const [rate, correction1, correction2, apply] = g.split(schedule, 0, [1, 1, 1, 1]);
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
  const taken = optimiser.accumulate > 1 ? g.emit('And', [finite, due]) : finite;
  g.output(g.where(taken, next.theta, theta), 'theta_next');
  g.output(g.where(taken, next.m, m), 'm_next');
  g.output(g.where(taken, next.v, v), 'v_next');
  // While an update's micro-batches add up, all of them begin at the same inverses: any of them can be made again.
  for (const group of inverseGroups(layout)) {
    const refined = made.inverses.get(group.name)!;
    const next = optimiser.accumulate > 1 ? g.where(due, refined, inverses.get(group.name)!) : refined;
    g.output(next, `${inverseName(group)}_next`);
  }
  for (const { name, value } of sums) g.output(g.where(due, g.scalar(0), value), `${name}_next`);
  return sums;
}

/** What the host reads of a step, and the same of the last runs as one state. */
function trace(g: Builder, { loss, norm }: Total, finite: Value, residual: Value): void {
  const flag = g.cast(finite, 'float32');
  const row = g.reshape(g.concat([g.reshape(loss, [1]), norm, flag, g.reshape(residual, [1])], 0), [1, 4]);
  const rows = g.input('trace', 'float32', [traceRows, 4]);
  g.output(g.concat([g.slice(rows, [1], [traceRows], [0]), row], 0), 'trace_next');
  g.output(loss, 'loss');
  g.output(norm, 'grad_norm');
  g.output(flag, 'finite');
  g.output(residual, 'residual');
}

/** The state before the first step: θ as it starts and its inverses, all else 0. */
function stateOf(graph: Graph, layout: Layout, sums: readonly Named[]): StateTensor[] {
  const state = (name: string, init: Float32Array, shape = [init.length]): StateTensor => ({
    name,
    output: `${name}_next`,
    type: 'float32',
    shape,
    init,
  });
  const theta = startingParameters(layout, graph);
  const begun = hostInverses(layout, theta);
  return [
    state('theta', theta),
    state('m', new Float32Array(layout.size)),
    state('v', new Float32Array(layout.size)),
    ...inverseGroups(layout).map((group) =>
      state(inverseName(group), begun[inverseName(group)]!, [group.count, group.size, group.size]),
    ),
    ...sums.map(({ name, value }) => state(name, new Float32Array(sizeOf(value.shape)))),
    state('trace', new Float32Array(traceRows * 4), [traceRows, 4]),
  ];
}

/** The sums of an update with one more micro-batch, and what loss and gradient come to so far. */
function addUp(g: Builder, gradSum: Value, ownGradient: Value, own: LossSum): Omit<Total, 'norm'> {
  const before = g.input('loss_totals', 'float32', [2]);
  const totals = g.add(before, g.concat([g.reshape(own.sum, [1]), g.reshape(own.count, [1])], 0));
  const [sum, count] = g.split(totals, 0, [1, 1]);
  const by = divisor(g, count!);
  const gradient = g.add(gradSum, ownGradient);
  return {
    loss: g.reshape(g.div(sum!, by), []),
    gradient: g.div(gradient, by),
    sums: [
      { name: 'grad_sum', value: gradient },
      { name: 'loss_totals', value: totals },
    ],
  };
}
