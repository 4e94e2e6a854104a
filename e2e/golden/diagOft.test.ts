/** @file Every Diag-OFT layer that LyCORIS computed: merged weight, output and gradients, by both gradient routes. */
import { describe, expect, it } from 'vitest';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { expectNear, json, largest, type OftCase, tensors } from './testing/fixtures.ts';
import { adaptedLayer, type Form } from './testing/oftLayer.ts';

const cases = (json('oft/cases.json') as OftCase[]).filter((c) => c.kind === 'diag-oft');

/** LyCORIS's own float32 error against float64, a few times over: sums run in another order here. */
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

it('has the cases', () => expect(cases.length).toBe(78));

describe.each(cases.map((c) => [c.name, c] as const))('%s', (_, c) => {
  const forms: Form[] = c.layer.type === 'linear' ? ['torch', 'transposed'] : ['torch'];
  for (const form of forms)
    for (const route of ['weight', 'gram'] as const)
      it(`${form} weight, ${route} route`, async () => {
        const data = tensors(`oft/${c.file}`);
        const { graph, layout, theta } = adaptedLayer(c, data, form, route);
        const out = await runGraph(graph, {
          x: data.get('x')!,
          theta: { type: 'float32', shape: [layout.size], data: theta },
          cotangent: data.get('cotangent')!,
        });
        const near = (key: string, got: Tensor): void => {
          const want = data.get(key)!;
          expectNear(key, { ...got, shape: want.shape }, want, allowed(c, key, want));
        };
        near('expected.output', out['y']!);
        near('grad.x', out['grad.x']!);
        if (out['weight'])
          near('expected.weight', form === 'transposed' ? swapped(out['weight']) : out['weight']);
        else expect(layout.groups).toEqual([]);
        let segment = 0;
        if (layout.groups.length > 0) near('grad.oft_blocks', out[`grad.segment.${segment++}`]!);
        else expect(largest(data.get('grad.oft_blocks')!)).toBe(0);
        if (c.options.rescaled) near('grad.rescale', out[`grad.segment.${segment}`]!);
      });
});
