/** @file A tiny net with one adapter of each kind, as a compiled training step. */
import { findLayers } from '#src/oft/layers/layers.ts';
import { keepLength } from '#src/oft/rotation/dropout.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { defaultSettings, fanIn, peftSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import type { PlannedLayer } from '#src/oft/types.ts';
import { builder } from '#src/ops/table.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { meanOver } from '#src/optim/loss.ts';
import { compileTraining } from '#src/program/training.ts';
import type { Program } from '#src/program/types.ts';
import { frozen, wave } from './programs.ts';

const net = () => {
  const g = builder();
  const x = g.input('x', 'float32', [2, 4, 4, 4]);
  const conv = (input: typeof x, name: string, shape: number[], pad: number) =>
    g.emit(
      'Conv',
      [
        input,
        g.initializer(`${name}.weight`, frozen(shape, 0.4, shape.length)),
        g.initializer(`${name}.bias`, frozen([shape[0]!], 0.1, 3)),
      ],
      { pads: [pad, pad, pad, pad], kernel_shape: shape.slice(2) },
      { name },
    );
  const a = g.emit('Tanh', [conv(x, 'wide', [8, 4, 3, 3], 1)]);
  const b = g.emit('Tanh', [conv(a, 'point', [8, 8, 1, 1], 0)]);
  const rows = g.reshape(b, [16, 16]);
  const c = g.emit(
    'Gemm',
    [rows, g.initializer('gemm.weight', frozen([8, 16], 0.3, 5))],
    { transB: 1 },
    { name: 'gemm' },
  );
  g.output(
    g.emit(
      'MatMul',
      [g.emit('Tanh', [c]), g.initializer('last.weight', frozen([8, 4], 0.3, 6))],
      {},
      { name: 'last' },
    ),
    'y',
  );
  return g.build();
};

/** Per-channel shared, input side exact, BOFT with rescale and clamp, input side by the series with PEFT's clamp; block dropout on one. */
export function adapters(): Program {
  const graph = net();
  const exact = { ...peftSettings, neumannTerms: null };
  const kinds: Record<string, (layer: PlannedLayer['layer']) => PlannedLayer> = {
    wide: (l) => plannedLayer(l, exact, { count: fanIn(l) / 9, size: 9, share: true }),
    point: (l) => plannedLayer(l, { ...exact, rankDropout: 0.5 }, { count: 2, size: 4 }),
    gemm: (l) =>
      plannedLayer(
        l,
        { ...defaultSettings, algorithm: 'boft', rescale: true, constraint: 0.05 },
        { count: 4, size: 2, stages: 3 },
      ),
    last: (l) => plannedLayer(l, { ...peftSettings, constraint: 0.2 }, { count: 2, size: 4 }),
  };
  const layout = parameterLayout(findLayers(graph).map((l) => kinds[l.path]!(l)));
  const program = compileTraining({
    graph,
    layout,
    rounds: 6,
    loss: (g, outputs) => {
      const d = g.sub(outputs.get('y')!, g.input('target', 'float32', [16, 4]));
      return meanOver(g, g.reduceMean(g.mul(d, d), [0, 1]));
    },
    optimiser: { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, clip: 1, accumulate: 1, blockwiseRate: true },
  });
  if (program.feeds.find((f) => f.name === 'keep')?.shape[0] !== keepLength(layout))
    throw new Error('no dropout feed');
  return program;
}

export const adapterFeeds = {
  x: wave(128, 1, 2),
  target: wave(64, 1, 8),
  // Blocks in the order of their groups; one of the two that can be dropped is.
  keep: Float32Array.from({ length: 1 + 12 + 2 + 2 + 1 }, (_, i) => Number(i !== 13)),
  schedule: scheduleTensor(0.05, [0.9, 0.99], 1, true),
};
