import fc from 'fast-check';
import { expect, it } from 'vitest';
import { layerAngles, blockRotations } from './hostRotation.ts';
import { initialParameters, parameterLayout, readParameters, writeParameters } from './parameters.ts';
import { planLayers } from '../plan/planning.ts';
import { linear, plan as planOf } from '../testing/layers.ts';
import type { Layer, Plan } from '../types.ts';

const layer = (path: string, out: number): Layer => linear(path, out, { in: 4 });
const plan = planOf();
const plannedOf = (out: number, over: Partial<Plan> = {}) =>
  planLayers([layer('a', out)], { ...plan, ...over }).planned[0]!;

it('is orthogonal for any blocks', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(2, 3, 4, 8),
      fc.array(fc.float({ min: -3, max: 3, noNaN: true }), { minLength: 128, maxLength: 128 }),
      (b, values) => {
        const p = plannedOf(2 * b, { blocks: { size: b } });
        const c = blockRotations(p, Float32Array.from(values.slice(0, 2 * b * b)));
        for (let k = 0; k < 2; k++)
          for (let i = 0; i < b; i++)
            for (let j = 0; j < b; j++) {
              let dot = 0;
              for (let r = 0; r < b; r++) dot += c[(k * b + r) * b + i]! * c[(k * b + r) * b + j]!;
              expect(dot).toBeCloseTo(Number(i === j), 5);
            }
      },
    ),
  );
});

it('turns a plane by 2·atan(μ)', () => {
  const p = plannedOf(4, { blocks: { size: 2 } });
  const mu = 0.3;
  const blocks = Float32Array.from([0, mu, 0, 0, 0, 0, 0, 0]);
  const c = blockRotations(p, blocks);
  expect(Math.acos(c[0]!)).toBeCloseTo(2 * Math.atan(mu), 6);
  expect(layerAngles(p, blocks).largest).toBeCloseTo((2 * Math.atan(mu) * 180) / Math.PI, 4);
  expect(layerAngles(p, blocks).mean).toBeCloseTo((2 * Math.atan(mu / Math.SQRT2) * 180) / Math.PI, 4);
});

it('keeps the constraint on the whole layer', () => {
  const p = plannedOf(4, { blocks: { size: 2 }, constraint: 0.01 });
  const c = blockRotations(p, Float32Array.from([0, 5, 0, 0, 0, 0, 0, 0]));
  // ‖Q‖_F = √2·μ is clamped to 0.04.
  expect(Math.acos(c[0]!)).toBeCloseTo(2 * Math.atan(0.04 / Math.SQRT2), 6);
});

it('reads back what it wrote, by layer, with 1×1 blocks and rescales', () => {
  const { planned } = planLayers([layer('a', 7), layer('b', 8), layer('c', 27), layer('d', 32)], {
    ...plan,
    rules: [{ match: { name: 'd' }, rescale: true }],
  });
  const layout = parameterLayout(planned);
  expect(layout.size).toBe(planned.reduce((n, p) => n + p.stored, 0));
  const values = new Map(
    planned.map((p, i) => [
      p.layer.path,
      {
        blocks: new Float32Array(p.count * p.size ** 2).fill(i + 1),
        ...(p.rescale && { rescale: new Float32Array(32).fill(9) }),
      },
    ]),
  );
  for (const p of readParameters(layout, writeParameters(layout, values))) {
    expect(p.blocks).toEqual(values.get(p.layer.layer.path)!.blocks);
    expect(p.rescale).toEqual(values.get(p.layer.layer.path)!.rescale);
  }
  expect(readParameters(layout, initialParameters(layout))[3]!.rescale).toEqual(new Float32Array(32).fill(1));
  expect(() => writeParameters(layout, new Map([['b', { blocks: new Float32Array(3) }]]))).toThrow(
    /32 block numbers|takes/,
  );
});
