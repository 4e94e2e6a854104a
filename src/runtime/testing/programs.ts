/** @file Small training programs for the runtime's tests. */
import { backward } from '#src/autodiff/backward.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import { constantOf, sizeOf, tensor } from '#src/onnx/tensor.ts';
import type { Constant } from '#src/onnx/model.ts';
import { builder } from '#src/ops/table.ts';
import type { Program, StateTensor } from '#src/program/types.ts';

/** Fixed, irregular numbers in [-scale, scale]. */
export const wave = (n: number, scale = 1, phase = 0): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => scale * Math.sin(1.3 * i + phase + 0.1 * i * i));

export const frozen = (shape: readonly number[], scale: number, phase: number): Constant =>
  constantOf({ type: 'float32', shape, data: wave(sizeOf(shape), scale, phase) });

const meanSquare = (g: Builder, y: Value, target: Value): Value => {
  const d = g.sub(y, target);
  const all = d.shape.map((_, i) => i);
  return g.reduceMean(g.mul(d, d), all);
};

const state = (name: string, shape: readonly number[], init: Float32Array): StateTensor => ({
  name,
  output: `${name}.next`,
  type: 'float32',
  shape,
  init,
});

/** y = tanh(x·W)·V with frozen W and trained V, one step of SGD. */
export function mlp(weight: Constant = frozen([6, 8], 0.5, 1)): Program {
  const g = builder();
  const x = g.input('x', 'float32', [4, 6]);
  const target = g.input('target', 'float32', [4, 3]);
  const rate = g.input('rate', 'float32', []);
  const v = g.input('v', 'float32', [8, 3]);
  const w = g.initializer('w', weight);
  const y = g.matMul(g.emit('Tanh', [g.matMul(x, w)]), v);
  const loss = meanSquare(g, y, target);
  const [dv] = backward(g, new Map([[loss.name, g.scalar(1)]]), [v]);
  g.output(loss, 'loss');
  g.output(y, 'y');
  g.output(g.sub(v, g.mul(dv!, rate)), 'v.next');
  return {
    stages: [{ name: 'step', graph: g.build(), weights: ['w'] }],
    state: [state('v', [8, 3], wave(24, 0.3, 2))],
    feeds: [
      { name: 'x', type: 'float32', shape: [4, 6] },
      { name: 'target', type: 'float32', shape: [4, 3] },
      { name: 'rate', type: 'float32', shape: [] },
    ],
    reads: ['loss', 'y', 'v.next'],
  };
}

export const mlpFeeds = { x: wave(24, 1, 3), target: wave(12, 1, 4), rate: Float32Array.of(0.1) };

/** The MLP's step with its frozen layer in a stage of its own. */
export function twoStages(): Program {
  const first = builder();
  const x = first.input('x', 'float32', [4, 6]);
  const w = first.initializer('w', frozen([6, 8], 0.5, 1));
  first.output(first.emit('Tanh', [first.matMul(x, w)]), 'hidden');
  const g = builder();
  const hidden = g.input('hidden', 'float32', [4, 8]);
  const target = g.input('target', 'float32', [4, 3]);
  const rate = g.input('rate', 'float32', []);
  const v = g.input('v', 'float32', [8, 3]);
  const loss = meanSquare(g, g.matMul(hidden, v), target);
  const [dv] = backward(g, new Map([[loss.name, g.scalar(1)]]), [v]);
  g.output(loss, 'loss');
  g.output(g.sub(v, g.mul(dv!, rate)), 'v.next');
  const { state: states, feeds } = mlp();
  return {
    stages: [
      { name: 'frozen', graph: first.build(), weights: ['w'] },
      { name: 'head', graph: g.build(), weights: [] },
    ],
    state: states,
    feeds,
    reads: ['loss'],
  };
}

/** Conv → pool → grouped, strided Conv → Resize → squared error; both weights and AdamW's moments are state. */
export function convNet(): Program {
  const g = builder();
  const x = g.input('x', 'float32', [2, 3, 8, 8]);
  const target = g.input('target', 'float32', [2, 4, 4, 4]);
  const rate = g.input('rate', 'float32', []);
  const shapes = { a: [6, 3, 3, 3], b: [4, 3, 3, 3] } as const;
  const a = g.input('a', 'float32', shapes.a);
  const b = g.input('b', 'float32', shapes.b);
  const bias = g.initializer('bias', frozen([6], 0.2, 1));
  const h = g.emit('Tanh', [g.emit('Conv', [x, a, bias], { pads: [1, 1, 1, 1] })]);
  const pooled = g.emit('MaxPool', [h], { kernel_shape: [2, 2], strides: [2, 2] });
  const small = g.emit('Conv', [pooled, b], { pads: [1, 1, 1, 1], strides: [2, 2], group: 2 });
  const scales = g.constant(tensor('float32', [4], [1, 1, 2, 2]));
  const y = g.emit('Resize', [small, null, scales], {
    mode: 'nearest',
    nearest_mode: 'floor',
    coordinate_transformation_mode: 'asymmetric',
  });
  const loss = meanSquare(g, y, target);
  const grads = backward(g, new Map([[loss.name, g.scalar(1)]]), [a, b]);
  g.output(loss, 'loss');
  const states: StateTensor[] = [];
  [a, b].forEach((p, i) => {
    const moment = (name: string, beta: number, now: Value): Value => {
      const m = g.input(name, 'float32', p.shape);
      states.push(state(name, p.shape, new Float32Array(sizeOf(p.shape))));
      const next = g.add(g.mul(m, g.scalar(beta)), g.mul(now, g.scalar(1 - beta)));
      return g.output(next, `${name}.next`);
    };
    const grad = grads[i]!;
    const m = moment(`${p.name}.m`, 0.9, grad);
    const v = moment(`${p.name}.v`, 0.99, g.mul(grad, grad));
    const step = g.div(m, g.add(g.sqrt(v), g.scalar(1e-6)));
    const decayed = g.mul(p, g.scalar(0.999));
    g.output(g.sub(decayed, g.mul(step, rate)), `${p.name}.next`);
    states.push(state(p.name, p.shape, wave(sizeOf(p.shape), 0.3, i)));
  });
  return {
    stages: [{ name: 'step', graph: g.build(), weights: ['bias'] }],
    state: states,
    feeds: [
      { name: 'x', type: 'float32', shape: [2, 3, 8, 8] },
      { name: 'target', type: 'float32', shape: [2, 4, 4, 4] },
      { name: 'rate', type: 'float32', shape: [] },
    ],
    reads: ['loss'],
  };
}

export const convFeeds = {
  x: wave(2 * 3 * 64, 1, 5),
  target: wave(2 * 4 * 16, 1, 6),
  rate: Float32Array.of(0.01),
};
