/** @file A step over weights of 4 and 8 bits on WebGPU (an emulated adapter): they are held on the device as they are rounded, and the numbers are wasm's. */
import { expect, test } from 'vitest';
import type { Bits } from '#src/onnx/blockwise.ts';
import { constantOf, tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { quantised } from '#src/program/quantised.ts';
import { noise, programOf } from '#src/program/testing/steps.ts';
import type { Program } from '#src/program/types.ts';
import { createRuntime } from './runtime.ts';

/** A Gemm with an odd number of rows, and a convolution of 3×3, whose blocks lie along the second of four axes. */
function stepIn(bits: Bits): Program {
  const g = builder();
  const weight = (name: string, shape: readonly number[], seed: number) => {
    const n = shape.reduce((a, b) => a * b);
    return g.initializer(name, constantOf(tensor('float32', shape, noise(seed, n, 0.1))));
  };
  const x = g.input('x', 'float32', [4, 64]);
  const a = g.emit('Tanh', [g.emit('Gemm', [x, weight('a', [85, 64], 1)], { transB: 1 }, { name: 'a' })]);
  const b = g.emit('Tanh', [g.emit('MatMul', [a, weight('b', [85, 144], 2)], {}, { name: 'b' })]);
  const map = g.reshape(b, [1, 64, 3, 3]);
  const kernel = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  g.output(g.emit('Conv', [map, weight('c', [32, 64, 3, 3], 3)], kernel, { name: 'c' }), 'y');
  const { graph, weights } = quantised(g.build(), bits);
  expect(weights).toHaveLength(3);
  return programOf(graph);
}

async function steps(prefer: 'webgpu' | 'wasm', program: Program) {
  const runtime = await createRuntime({ prefer, threads: 1 });
  const step = await runtime.load(program);
  const found: number[] = [];
  for (let i = 1; i <= 2; i++) {
    const schedule = new Float32Array([0.01, 1 - 0.9 ** i, 1 - 0.99 ** i, 1]);
    const got = await step.run({ x: noise(9, 4 * 64), schedule }, ['loss', 'grad_norm']);
    found.push(Number(got['loss']![0]), Number(got['grad_norm']![0]));
  }
  const { weights } = runtime.memory();
  const { kind } = runtime.backend;
  const elsewhere = step.placement().elsewhere.map(({ op }) => op);
  await runtime.dispose();
  return { found, weights, kind, elsewhere };
}

test.each<Bits>([4, 8])('%i bits', { timeout: 120_000 }, async (bits) => {
  const program = stepIn(bits);
  const [gpu, cpu] = [await steps('webgpu', program), await steps('wasm', program)];
  expect(gpu.kind).toBe('webgpu');
  expect(gpu.elsewhere).not.toContain('DequantizeLinear');
  gpu.found.forEach((x, i) => expect(Math.abs(x / cpu.found[i]! - 1)).toBeLessThan(1e-4));
  // Numbers and scales, and the zero points of 8 bits, as buffers of the device.
  expect(gpu.weights).toBe(cpu.weights);
  expect(gpu.weights).toBeLessThan((bits === 4 ? 0.2 : 0.3) * 4 * (85 * 64 + 85 * 144 + 32 * 64 * 9));
});
