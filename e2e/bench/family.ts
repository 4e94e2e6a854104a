/** @file Step time ÷ forward time of the built-in UNet for the family's members, each by the cost function's choice and by one route for all. */
import { findLayers } from '#src/oft/layers/layers.ts';
import { defaultSettings, peftSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Plan } from '#src/oft/types.ts';
import { compare, prepare } from './sideBySide.ts';
import { unet, unetStep } from './unet.ts';

const nearest = (size: number) => ({ size, fit: 'nearest' as const });
const plans: Readonly<Record<string, Plan>> = {
  'output, b ≈ 16': { ...defaultSettings, blocks: nearest(16), rules: [] },
  'BOFT, dim 8': {
    ...defaultSettings,
    algorithm: 'boft',
    blocks: { dim: 8 },
    rules: [{ match: { out: '<16' }, skip: true }],
  },
  'input, exact, b ≈ 8': { ...peftSettings, neumannTerms: null, blocks: nearest(8), rules: [] },
  'input, series, b ≈ 8': { ...peftSettings, blocks: nearest(8), rules: [] },
  'input, series, b ≈ 32': { ...peftSettings, blocks: nearest(32), rules: [] },
};

export async function main(batch = 4, rounds = 5): Promise<void> {
  const graph = unet(batch);
  const layers = findLayers(graph);
  const entries = [await prepare('forward, frozen', graph)];
  for (const [name, plan] of Object.entries(plans)) {
    const { planned, problems } = planLayers(layers, plan);
    for (const p of problems) if (p.severity === 'error') console.log(`${name}: ${p.message}`);
    const orthogonal = plan.algorithm === 'diag' && plan.neumannTerms === null;
    for (const route of ['auto', orthogonal ? 'gram' : 'activation', 'weight'] as const)
      entries.push(await prepare(`${name}, ${route}`, unetStep(graph, planned, route).stages[0]!.graph));
  }
  await compare(`batch ${batch}, ${layers.length} layers`, entries, rounds);
}
