import { describe, expect, it } from 'vitest';
import { builder } from '#src/ops/table.ts';
import { constantOf, tensor } from '#src/onnx/tensor.ts';
import { estimateMemory, peakActivations } from './memory.ts';

describe('peakActivations', () => {
  it('frees what has no reader left', () => {
    const g = builder();
    const x = g.input('x', 'float32', [100]);
    // Beside x, a chain holds two at a time: the one being read and the one being written.
    g.output(g.emit('Tanh', [g.emit('Sin', [g.emit('Exp', [x])])]), 'y');
    expect(peakActivations(g.build())).toBe(3 * 400);
  });

  it('keeps what is read again later', () => {
    const g = builder();
    const x = g.input('x', 'float32', [100]);
    const kept = g.emit('Exp', [x]);
    g.output(g.mul(g.emit('Tanh', [g.emit('Sin', [kept])]), kept), 'y');
    expect(peakActivations(g.build())).toBe(4 * 400);
  });

  it('counts a reshaped value once, and not before it dies', () => {
    const g = builder();
    const x = g.input('x', 'float32', [100]);
    const h = g.reshape(g.emit('Exp', [x]), [10, 10]);
    g.output(g.emit('Tanh', [h]), 'y');
    expect(peakActivations(g.build())).toBe(3 * 400);
  });
});

it('estimateMemory tells weights, state and activations apart', () => {
  const g = builder();
  const x = g.input('x', 'float32', [4, 8]);
  const theta = g.input('theta', 'float32', [32]);
  const w = g.initializer('w', constantOf(tensor('float32', [8, 8], new Float32Array(64))));
  g.output(g.add(g.reshape(theta, [4, 8]), g.matMul(x, w)), 'y');
  g.output(g.emit('Identity', [theta]), 'theta_next');
  const estimate = estimateMemory({
    stages: [{ name: 'step', graph: g.build(), weights: ['w'] }],
    state: [
      { name: 'theta', output: 'theta_next', type: 'float32', shape: [32], init: new Float32Array(32) },
    ],
    feeds: [{ name: 'x', type: 'float32', shape: [4, 8] }],
    reads: ['y'],
  });
  expect(estimate).toEqual({
    weights: 256 + 16,
    state: 256,
    // x, x·w and y.
    activations: 3 * 128,
    total: 272 + 256 + 384,
  });
});
