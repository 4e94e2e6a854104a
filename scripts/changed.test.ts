import { expect, it } from 'vitest';
import { nearness } from './changed.mjs';

it('takes the tests nearest to a change first', () => {
  const file = 'src/onnx/decode.ts';
  const near = [
    'src/onnx/decode.test.ts',
    'src/onnx/testing/files.test.ts',
    'src/onnx/encode.test.ts',
    'src/graph/bind.test.ts',
    'e2e/golden/zoo.test.ts',
  ];
  const shuffled = [3, 0, 4, 2, 1].map((i) => near[i]!);
  const order = shuffled.sort((a, b) => nearness(b, file) - nearness(a, file));
  expect(order[0]).toBe(near[0]);
  expect(new Set(order.slice(1, 3))).toEqual(new Set(near.slice(1, 3)));
  expect(order.slice(3)).toEqual(near.slice(3));
});

it('takes a test that was changed itself before all', () => {
  expect(nearness('src/a.test.ts', 'src/a.test.ts')).toBe(Infinity);
  expect(nearness('scripts/serve.test.ts', 'scripts/serve.mjs')).toBeGreaterThan(
    nearness('scripts/layers.test.ts', 'scripts/serve.mjs'),
  );
});
