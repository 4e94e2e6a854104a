import { expect, it } from 'vitest';
import { random } from '#src/tasks/random.ts';
import { linear, plan as planOf } from '../testing/layers.ts';
import { planLayers } from '../plan/planning.ts';
import { clampedSkew } from './hostRotation.ts';
import {
  hostInverses,
  inverseGroups,
  inverseLengths,
  isInverse,
  withFreshInverses,
  withInverses,
} from './inverses.ts';
import { initialParameters, parameterLayout, readParameters } from './parameters.ts';

const { planned } = planLayers(
  ['a', 'b', 'clamped', 'triangle', 'series', 'small'].map((path) => linear(path, 16, { in: 8 })),
  {
    ...planOf(),
    blocks: { size: 8 },
    rules: [
      { match: { name: 'clamped' }, constraint: 0.01 },
      { match: { name: 'triangle' }, parameters: 'triangle' },
      { match: { name: 'series' }, neumannTerms: 5 },
      { match: { name: 'small' }, blocks: { size: 4 } },
    ],
  },
);
const layout = parameterLayout(planned);
const theta = random(0, 'theta', 0)
  .normal(layout.size)
  .map((x) => x / 3);

it('finds (I − Q)⁻¹ of every exact block beyond 4×4, group by group', () => {
  const found = hostInverses(layout, theta);
  expect(Object.keys(found)).toEqual(['inverse_8', 'inverse_8_triangle']);
  expect(Object.keys(found).every(isInverse)).toBe(true);
  expect(Object.fromEntries(inverseLengths(layout))).toEqual({
    inverse_8: 6 * 64,
    inverse_8_triangle: 2 * 64,
  });
  const layers = readParameters(layout, theta);
  for (const group of inverseGroups(layout))
    for (const { index, first, count } of group.layers) {
      const q = clampedSkew(planned[index]!, layers[index]!.blocks);
      const m = found[`inverse_${group.name}`]!.subarray(first * 64, (first + count) * 64);
      for (let at = 0; at < q.length; at += 64)
        for (let i = 0; i < 8; i++)
          for (let j = 0; j < 8; j++) {
            let product = m[at + i * 8 + j]!;
            for (let k = 0; k < 8; k++) product -= q[at + i * 8 + k]! * m[at + k * 8 + j]!;
            expect(product).toBeCloseTo(Number(i === j), 6);
          }
    }
});

it('is the identity for the untouched model', () => {
  const { inverse_8: all } = hostInverses(layout, initialParameters(layout));
  expect(all!.every((x, i) => x === Number((i % 64) % 9 === 0))).toBe(true);
});

it('completes a state, and leaves what it has', () => {
  const found = hostInverses(layout, theta);
  expect(withInverses(layout, { theta })).toEqual({ theta, ...found });
  const own = new Float32Array(6 * 64);
  const partly = withInverses(layout, { theta, inverse_8: own });
  expect(partly['inverse_8']).toBe(own);
  expect(partly['inverse_8_triangle']).toEqual(found['inverse_8_triangle']);
  const whole = { theta, ...found };
  expect(withInverses(layout, whole)).toBe(whole);
  const sums = { grad_sum: own };
  expect(withInverses(layout, sums)).toBe(sums);
});

it('finds them anew', () => {
  const m = new Float32Array(layout.size);
  const stale = { theta, m, inverse_8: new Float32Array(6 * 64) };
  expect(withFreshInverses(layout, stale)).toEqual({ theta, m, ...hostInverses(layout, theta) });
});
