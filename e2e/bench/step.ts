/** @file Step time ÷ forward time of the built-in UNet under the default plan, by gradient route. */
import { planAll } from '#src/program/testing/steps.ts';
import { compare, prepare } from './sideBySide.ts';
import { unet, unetStep } from './unet.ts';

export async function main(batch = 4, rounds = 9): Promise<void> {
  const graph = unet(batch);
  const planned = planAll(graph);
  const step = (route: 'auto' | 'gram' | 'weight') => unetStep(graph, planned, route).stages[0]!.graph;
  const entries = [
    await prepare('forward, frozen', graph),
    await prepare('step, auto', step('auto')),
    await prepare('step, gram', step('gram')),
    await prepare('step, weight', step('weight')),
  ];
  await compare(`batch ${batch}, ${planned.length} layers`, entries, rounds);
}
