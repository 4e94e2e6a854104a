/** @file Which way to a layer's rotation gradient is cheaper. */
import { fanIn } from '../plan/planned.ts';
import type { PlannedLayer } from '../types.ts';

/** See insert.ts. */
export type Route = 'weight' | 'gram' | 'activation';

/** How often the layer's weight is applied: batch × positions, at its output and at its input (they differ by strides). */
export interface Rows {
  readonly output: number;
  readonly input: number;
}

/**
 * Estimated cost in units of one dense multiply-add.
 * weight: T·in·k²/groups·out for the weight gradient, plus contracting W′ and its cotangent with the rotation, m stages of out·fan·b.
 * gram: T·width·b in small matrix products, which run at a fraction of the dense rate, plus moving both values once; and on the
 * input side W′ itself, whose blocks of columns must be moved to the front and back.
 * activation: three such products per stage (forward, and two backward), and more moves.
 * The factors come from e2e/bench (routes); see ARCHITECTURE.md, "Decisions by measurement".
 *
 * @param formed how often a step forms W′: twice where the weight is stored small (program/rebuilt.ts)
 */
export function routeCosts(planned: PlannedLayer, rows: Rows, formed: 1 | 2 = 1): Record<Route, number> {
  const { layer, size, stages, side } = planned;
  const fan = fanIn(layer);
  const smallProduct = 4;
  const move = layer.kind === 'conv' ? 6 : 10;
  const through = (side === 'output' ? rows.output : rows.input) * (side === 'output' ? layer.out : layer.in);
  const forming =
    layer.out * fan * (side === 'input' ? formed * (0.8 * size + 40) : (formed - 1) * 0.8 * size);
  return {
    weight: rows.output * fan * layer.out + 4 * layer.out * fan * size * stages,
    gram: through * (size * smallProduct + move) + forming,
    activation: through * stages * (3 * size * smallProduct + 2 * move),
  };
}

/** The cheapest of the open routes by `routeCosts`. */
export function cheapestRoute(
  planned: PlannedLayer,
  rows: Rows,
  open: readonly Route[],
  formed: 1 | 2 = 1,
): Route {
  const costs = routeCosts(planned, rows, formed);
  return open.reduce((best, route) => (costs[route] < costs[best] ? route : best));
}
