/** @file `npm run bench -- curves [rounds]`: how step ÷ forward goes with batch, picture, layers and block size, and how long a step takes to compile. */
import type { Graph } from '#src/graph/types.ts';
import { planAll, programOf } from '#src/program/testing/steps.ts';
import { measureStep, type Row } from './models.ts';
import { bert, convNet, gpt, smallSize } from './networks.ts';
import { here, record, table } from './record.ts';
import { processorTime } from './timing.ts';

/** One point of a curve: what is varied, its value, the graph. */
interface Point {
  readonly curve: string;
  readonly at: number;
  readonly batch: number;
  make(batch: number): Graph;
  readonly size: number;
}

const point = (
  curve: string,
  at: number,
  batch: number,
  make: (batch: number) => Graph,
  size = 4,
): Point => ({ curve, at, batch, make, size });

const points: readonly Point[] = [
  ...[1, 2, 4, 8, 16, 32].map((n) => point('GPT, b = 4: batch', n, n, gpt)),
  ...[1, 2, 4, 8, 16, 32].map((n) => point('GPT, b = 32: batch', n, n, gpt, 32)),
  ...[8, 16, 32, 64].map((side) =>
    point('Conv net, batch 4, b = 8: side in pixels', side, 4, (n) => convNet(n, undefined, side), 8),
  ),
  ...[1, 2, 4, 8, 12].map((layers) =>
    point('GPT, batch 4, b = 4: layers', layers, 4, (n) => gpt(n, { ...smallSize, layers })),
  ),
  ...[4, 8, 16, 32, 64, 96].map((size) => point('GPT, batch 4: b', size, 4, gpt, size)),
];

async function measurePoint(
  { curve, at, batch, make, size }: Point,
  rounds: number,
): Promise<Row & { at: number }> {
  const adapters = { [`b = ${size}`]: { blocks: { size, fit: 'nearest' as const } } };
  const [row] = await measureStep({ name: curve, make, adapters }, batch, rounds);
  return { ...row!, at };
}

interface Compiled {
  readonly layers: number;
  readonly nodes: number;
  readonly stepNodes: number;
  /** Milliseconds of processor time from the forward graph to the step's, the least of three. */
  readonly ms: number;
}

/** Of equal Transformer layers: compiling should take as long for each. */
function compile(layers: number): Compiled {
  const graph = bert(1, { layers, width: 64, heads: 2, tokens: 16 });
  let [ms, stepNodes] = [Infinity, 0];
  for (let i = 0; i < 3; i++) {
    const began = processorTime();
    planAll(graph);
    stepNodes = programOf(graph).stages[0]!.graph.nodes.length;
    ms = Math.min(ms, processorTime() - began);
  }
  return { layers, nodes: graph.nodes.length, stepNodes, ms };
}

const cells = (r: Row & { at: number }): string[] => [
  r.model,
  String(r.at),
  String(r.stepNodes),
  `${r.forward.median.toFixed(1)}, ${r.step.median.toFixed(1)}`,
  `**${r.ratio.median.toFixed(2)}** (${r.ratio.low.toFixed(2)}–${r.ratio.high.toFixed(2)})`,
  r.products.toFixed(2),
];

export async function main(rounds = 7): Promise<void> {
  compile(4);
  const compiled = [4, 8, 16, 24].map(compile);
  const rows: (Row & { at: number })[] = [];
  // What runs first is compiled by the engine a second time.
  await measurePoint(points[2]!, 3);
  for (const each of points) {
    rows.push(await measurePoint(each, rounds));
    console.error(cells(rows.at(-1)!).join('  '));
  }
  const text = [
    table(
      ['Curve', 'At', 'Nodes of the step', 'ms: forward, step', 'Step ÷ forward', 'Products'],
      rows.map(cells),
    ),
    table(
      [
        'Equal Transformer layers',
        'Nodes: forward, step',
        'Compiled in, ms',
        'ms per 1,000 nodes of the step',
      ],
      compiled.map(({ layers, nodes, stepNodes, ms }) => [
        String(layers),
        `${nodes}, ${stepNodes}`,
        ms.toFixed(0),
        ((1000 * ms) / stepNodes).toFixed(0),
      ]),
    ),
  ].join('\n\n');
  await record('curves', here(), { rounds, rows, compiled }, text);
}
