import { expect, it } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import { takeShortcuts } from '#src/autodiff/shortcuts.ts';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { builder } from '../table.ts';
import { runGraph } from '../testing/runGraph.ts';

/** The gradient of Σ (k + 1)·y_k by x, for y = x rounded. */
async function passed(x: readonly number[], scales: readonly number[], zero: number): Promise<number[]> {
  const g = builder();
  const shape = scales.length === 1 ? [x.length] : [1, x.length];
  const input = g.input('x', 'float32', shape);
  const list = scales.length === 1 ? [] : [scales.length];
  const scale = g.constant(tensor('float32', list, scales));
  const point = g.constant(
    tensor(
      'int8',
      list,
      scales.map(() => zero),
    ),
  );
  const q = g.emit('QuantizeLinear', [input, scale, point]);
  const y = g.emit('DequantizeLinear', [q, scale, point]);
  takeShortcuts(g);
  const rising = g.constant(
    tensor(
      'float32',
      shape,
      x.map((_, i) => i + 1),
    ),
  );
  const [dx] = backward(g, new Map([[y.name, rising]]), [input]);
  const out = await runGraph(g.build([dx!]), { x: tensor('float32', shape, x) });
  return numbersOf(out[dx!.name]!);
}

// int8 with a step of 0.1 and the zero point 0 reaches from -12.8 to 12.7; PyTorch's fake_quantize passes up to half a step beyond.
it('passes where the value was not clipped', async () => {
  expect(await passed([-20, -12.86, -12.84, 0, 0.05, 12.74, 12.76, 99], [0.1], 0)).toEqual([
    0, 0, 3, 4, 5, 6, 0, 0,
  ]);
});

it('by the range of each channel', async () => {
  expect(await passed([20, 20], [0.1, 1], 0)).toEqual([0, 2]);
});

it('passes whole where the range follows the data', async () => {
  const g = builder();
  const x = g.input('x', 'float32', [3]);
  const y = g.emit('DequantizeLinear', g.emitAll('DynamicQuantizeLinear', [x], {}, { outputs: 3 }));
  takeShortcuts(g);
  const [dx] = backward(g, new Map([[y.name, g.constant(tensor('float32', [3], [1, 2, 3]))]]), [x]);
  const out = await runGraph(g.build([y, dx!]), { x: tensor('float32', [3], [-1, 0.4, 7]) });
  expect(numbersOf(out[dx!.name]!)).toEqual([1, 2, 3]);
});
