/** @file Compiles the model with adapters for sampling and evaluation. */
import type { Graph, Value } from '#src/graph/types.ts';
import { insertAdapters } from '#src/oft/insertion/insert.ts';
import { wholeFeed } from '#src/oft/rotation/hostRotation.ts';
import type { Layout } from '#src/oft/rotation/parameters.ts';
import type { LayerRotation } from '#src/oft/rotation/rotations.ts';
import { asHeld } from './halves.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { builder } from '#src/ops/table.ts';
import { feedsOf } from './names.ts';
import { optimise } from './optimise/optimise.ts';
import type { Program } from './types.ts';
import { runInputs } from './weights.ts';

/** Feed names of the rotations, as `hostRotations` (oft/hostRotation.ts) gives them. */
export const rotationFeed = (group: string): string => `rotation_${group}`;
export const rescaleFeed = 'rescale';

/**
 * The model's outputs under given rotations. Feeds: the model's inputs, `rotation_<group>` [stored blocks, b, b] per group of the layout and `rescale` [all
 * rescaled outputs] and `whole_<i>` [numbers] per whole weight; the host computes them from the parameters in float64 and mixes in the strength, so the graph holds no inverse.
 */
export function compileForward({
  graph,
  layout,
}: {
  readonly graph: Graph;
  readonly layout: Layout;
}): Program {
  const g = builder();
  g.startFrom(graph);
  const rotation = new Map<number, Value>();
  for (const group of layout.groups) {
    const all = g.input(rotationFeed(group.name), 'float32', [group.count, group.size, group.size]);
    const counts = group.layers.map((l) => l.count);
    g.split(all, 0, counts).forEach((v, i) => rotation.set(group.layers[i]!.index, v));
  }
  const rescale = new Map<number, Value>();
  if (layout.rescaleLength > 0) {
    const all = g.input(rescaleFeed, 'float32', [layout.rescaleLength]);
    g.split(
      all,
      0,
      layout.rescales.map((r) => r.length),
    ).forEach((v, i) => rescale.set(layout.rescales[i]!.index, v));
  }
  const layers: LayerRotation[] = layout.planned.map((_, i) => ({
    rotation: rotation.get(i) ?? null,
    trivialised: null,
    rescale: rescale.get(i) ?? null,
  }));
  const whole = new Map(
    layout.whole.map(({ name, length }, i) => [name, g.input(wholeFeed(i), 'float32', [length])]),
  );
  insertAdapters(g, graph, layout, layers, 'forward', whole);
  const outputs = graph.outputs.map((o) => g.value(o.name));
  const pruned = asHeld(optimise(lowerGraph(g.build(outputs))));
  return {
    stages: [{ name: 'forward', graph: pruned, weights: runInputs(pruned) }],
    state: [],
    feeds: feedsOf(g.inputs, graph),
    reads: outputs.map((o) => o.name),
  };
}
