/** @file Every single layer that LyCORIS and PEFT computed: merged weight, output and gradients, by every route to the gradient. */
import { describe, expect, it } from 'vitest';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { mergeWeight } from '#src/oft/insertion/mergeWeight.ts';
import { readParameters } from '#src/oft/rotation/parameters.ts';
import { numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { expectNear, json, largest, type OftCase, tensors } from './testing/fixtures.ts';
import { adaptedLayer, blocksKey, type Form } from './testing/oftLayer.ts';

const kinds = { 'diag-oft': 78, boft: 42, 'peft-oft': 59 };
const cases = (json('oft/cases.json') as OftCase[]).filter((c) => c.kind in kinds);

/** Upstream's own float32 error against float64, a few times over: sums run in another order here. */
const allowed = (c: OftCase, key: string, want: Tensor): number =>
  3 * (c.f32_vs_f64[key] ?? 0) + 1.5e-6 * largest(want);

function swapped(t: Tensor): Tensor {
  const [rows, columns] = [t.shape[0]!, t.shape[1]!];
  const v = numbersOf(t);
  return tensor(
    'float32',
    [columns, rows],
    v.map((_, i) => v[(i % rows) * columns + Math.floor(i / rows)]!),
  );
}

it.each(Object.entries(kinds))('has the %s cases', (kind, count) =>
  expect(cases.filter((c) => c.kind === kind)).toHaveLength(count),
);

const ROUTES = ['weight', 'gram', 'activation'] as const;

describe.each(cases.map((c, i) => [c.name, c, i] as const))('%s', (_, c, i) => {
  const forms: Form[] = c.layer.type === 'linear' ? ['torch', 'transposed'] : ['torch'];
  const ways = forms.flatMap((form) => ROUTES.map((route) => ({ form, route })));
  const data = tensors(`oft/${c.file}`);
  const key = blocksKey(c);
  // Ways take turns from case to case; a sweep goes all of them.
  for (const { form, route } of depth([ways[i % ways.length]!], ways))
    it(`${form} weight, ${route} route`, async () => {
      const { graph, layout, theta } = adaptedLayer(c, data, form, route);
      const out = await runGraph(graph, {
        ...(data.has('x') && { x: data.get('x')! }),
        theta: { type: 'float32', shape: [layout.size], data: theta },
        cotangent: data.get('cotangent')!,
      });
      const near = (name: string, got: Tensor): void => {
        const want = data.get(name)!;
        expectNear(name, { ...got, shape: want.shape }, want, allowed(c, name, want));
      };
      near('expected.output', out['y']!);
      if (data.has('x')) near('grad.x', out['grad.x']!);
      if (out['weight'])
        near('expected.weight', form === 'transposed' ? swapped(out['weight']) : out['weight']);
      else if (c.layer.type !== 'embedding') expect(layout.groups).toEqual([]);
      let segment = 0;
      if (layout.groups.length > 0) near(`grad.${key}`, out[`grad.segment.${segment++}`]!);
      else expect(largest(data.get(`grad.${key}`)!)).toBe(0);
      if (c.options.rescaled) near('grad.rescale', out[`grad.segment.${segment}`]!);
      if (data.has(`expected.${key}`)) near(`expected.${key}`, out['projected']!);
    });
  it('merged on the host', () => {
    const { layout, theta } = adaptedLayer(c, data, 'torch', 'weight');
    const want = data.get('expected.weight')!;
    const weight = Float32Array.from(numbersOf(data.get('weight')!));
    const merged = mergeWeight(readParameters(layout, theta)[0]!, weight, c.options.multiplier);
    expectNear(
      'expected.weight',
      { type: 'float32', shape: want.shape, data: merged },
      want,
      allowed(c, 'expected.weight', want),
    );
  });
});
