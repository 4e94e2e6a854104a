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

/** Numbers of a weight that it takes a while to turn. */
const LARGE = 2 ** 18;

/**
 * The same without a gradient: W′ is formed by blocks, and moved; or what flows is turned, and moved, which adds nodes to each layer. That pays for a few
 * rows of a large weight (the next tokens of a text), and for a weight that takes more memory wide than it is stored in.
 */
export function forwardCosts(
  { layer, side }: PlannedLayer,
  rows: Rows,
  formed: 1 | 2,
): Record<Route, number> {
  const through = side === 'output' ? rows.output * layer.out : rows.input * layer.in;
  const weight = layer.out * fanIn(layer);
  const few = formed === 2 ? 1 : layer.kind === 'linear' && weight >= LARGE ? 8 : Infinity;
  return { weight, gram: Infinity, activation: through * few };
}

/** The cheapest of the open routes. */
export function cheapestRoute(costs: Readonly<Record<Route, number>>, open: readonly Route[]): Route {
  return open.reduce((best, route) => (costs[route] < costs[best] ? route : best));
}
