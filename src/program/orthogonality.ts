/** @file How orthogonal the rotations are that the device computes from the parameters, as a program of its own. */
import { prune } from '#src/graph/prune.ts';
import { GraphError, type Value } from '#src/graph/types.ts';
import { identity } from '#src/oft/rotation/cayley.ts';
import { inverseGroups, inverseName } from '#src/oft/rotation/inverses.ts';
import type { Layout } from '#src/oft/rotation/parameters.ts';
import { emitRotations } from '#src/oft/rotation/rotations.ts';
import { projectParameters } from '#src/oft/rotation/skew.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { builder } from '#src/ops/table.ts';
import type { Program } from './types.ts';

/**
 * Feeds: theta [layout.size] and, as the training step's state has them, `inverse_<group>` [count, b, b]. Reads, float32 scalars: `exact` and `series`, the largest |CᵀC − I| over all blocks by the Cayley transform
 * and by the Cayley–Neumann series, each only where there are such blocks. Throws GraphError where no block can turn.
 *
 * What it finds is what the training step's next run would turn by.
 *
 * @param rounds Newton–Schulz rounds, as in the training step that is judged
 */
export function compileOrthogonality(layout: Layout, rounds: number): Program {
  const g = builder();
  const given = g.input('theta', 'float32', [layout.size]);
  const last = new Map(
    inverseGroups(layout).map((group) => {
      const { name, count, size } = group;
      return [name, g.input(inverseName(group), 'float32', [count, size, size])];
    }),
  );
  const { layers } = emitRotations(g, layout, projectParameters(g, layout, given), { rounds, last });
  const largest: Record<'exact' | 'series', Value | null> = { exact: null, series: null };
  layers.forEach(({ rotation }, i) => {
    if (!rotation) return;
    const { size, neumannTerms } = layout.planned[i]!;
    const error = g.sub(g.matMul(g.mT(rotation), rotation), identity(g, size));
    const own = g.emit('ReduceMax', [g.emit('Abs', [error])], { keepdims: 0 });
    const kind = neumannTerms === null ? 'exact' : 'series';
    largest[kind] = largest[kind] ? g.emit('Max', [largest[kind], own]) : own;
  });
  const reads = (['exact', 'series'] as const).filter((kind) => largest[kind] !== null);
  if (reads.length === 0)
    throw new GraphError('No layer has a block that can turn.', { cure: 'Choose blocks of 2 or more.' });
  for (const kind of reads) g.output(largest[kind]!, kind);
  const graph = prune(lowerGraph(g.build()));
  return {
    stages: [{ name: 'orthogonality', graph, weights: [] }],
    state: [],
    feeds: graph.inputs.map(({ name, type, shape }) => ({ name, type, shape })),
    reads,
  };
}
