/** @file Which way to a layer's rotation gradient is cheaper. */
import type { PlannedLayer } from './types.ts';

/** See insert.ts. */
export type Route = 'weight' | 'gram';

/**
 * Estimated cost in units of one dense multiply-add, from the number of rows T = batch × positions that pass the layer.
 * weight: T·in·k²/groups·out for the weight gradient, plus W′'s contraction out·b·in·k².
 * gram: T·out·b in small matrix products, which run at a fraction of the dense rate, plus moving y and ∂y once.
 * The factors come from e2e/bench (routes); see ARCHITECTURE.md, "Decisions by measurement".
 */
export function routeCosts({ layer, size }: PlannedLayer, rows: number): Record<Route, number> {
  const fan = (layer.in / layer.groups) * layer.kernel.reduce((p, k) => p * k, 1);
  const smallProduct = 4;
  const move = layer.kind === 'conv' ? 6 : 10;
  return {
    weight: rows * fan * layer.out + 4 * layer.out * size * fan,
    gram: rows * layer.out * (size * smallProduct + move),
  };
}

/** The cheaper route by `routeCosts`. */
export function cheaperRoute(planned: PlannedLayer, rows: number): Route {
  const costs = routeCosts(planned, rows);
  return costs.gram < costs.weight ? 'gram' : 'weight';
}
