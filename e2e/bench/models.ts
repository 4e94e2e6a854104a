/** @file `npm run bench -- models [rounds] [part of a name]`: step ÷ forward of several kinds of models, and the share of what multiplications allow. */
import type { Graph } from '#src/graph/types.ts';
import type { Plan } from '#src/oft/types.ts';
import { meanSquare } from '#src/program/testing/steps.ts';
import type { TrainingOptions } from '#src/program/training.ts';
import { planAll, programOf } from '#src/program/testing/steps.ts';
import { bert, convNet, gpt, mlp, vit } from './networks.ts';
import { flowOf, productsOf } from './products.ts';
import { here, record, table } from './record.ts';
import { prepare } from './sideBySide.ts';
import { inTurn, ratioOf, type Spread, spreadOf } from './timing.ts';
import { pictureError, unet } from './unet.ts';

interface Model {
  readonly name: string;
  make(batch: number): Graph;
  readonly batches: readonly number[];
  readonly adapters: Readonly<Record<string, Partial<Plan>>>;
  readonly loss?: TrainingOptions['loss'];
}

const dim4 = { 'dim 4': { blocks: { dim: 4 } } };
const b32 = { 'b = 32': { blocks: { size: 32, fit: 'nearest' as const } } };
const both = { ...dim4, ...b32 };

const models: readonly Model[] = [
  { name: 'UNet, built in', make: unet, batches: [4, 8], adapters: dim4, loss: pictureError },
  { name: 'MLP 256-1024-1024-256', make: mlp, batches: [64], adapters: b32 },
  {
    name: 'Conv net 3-32-64-64, 32²',
    make: convNet,
    batches: [16],
    adapters: { '8 blocks': { blocks: { count: 8 } }, 'b = 8': { blocks: { size: 8 } } },
  },
  { name: 'ViT, 4 × 192, 64 tokens', make: vit, batches: [1, 4, 16], adapters: both },
  { name: 'BERT, 4 × 192, 64 tokens', make: bert, batches: [1, 4, 16], adapters: both },
  { name: 'GPT, 4 × 192, 64 tokens', make: gpt, batches: [1, 4, 16], adapters: both },
];

export interface Row {
  readonly model: string;
  readonly batch: number;
  readonly adapter: string;
  readonly forwardNodes: number;
  readonly stepNodes: number;
  /** Milliseconds of processor time. */
  readonly forward: Spread;
  readonly step: Spread;
  /** Step ÷ forward, round by round. */
  readonly ratio: Spread;
  /** Multiplications of the step's products ÷ those of the forward pass. */
  readonly products: number;
  /** The same for the forward pass and the gradients that flow through it, no adapter counted. */
  readonly flow: number;
}

/** All adapters of one model at one batch, in turn with its forward pass. */
export async function measureStep(
  { name, make, adapters, loss = meanSquare }: Omit<Model, 'batches'>,
  batch: number,
  rounds: number,
): Promise<Row[]> {
  const graph = make(batch);
  const own = productsOf(graph);
  const kinds = Object.entries(adapters).map(([adapter, settings]) => ({
    adapter,
    trained: new Set(planAll(graph, settings).flatMap((p) => p.layer.nodes)),
    step: programOf(graph, settings, loss).stages[0]!.graph,
  }));
  const entries = [await prepare(name, graph)];
  for (const { adapter, step } of kinds) entries.push(await prepare(adapter, step));
  const [forward, ...steps] = (await inTurn(entries, rounds)) as [number[], ...number[][]];
  for (const entry of entries) await entry.release();
  return kinds.map(({ adapter, trained, step }, i) => ({
    model: name,
    batch,
    adapter,
    forwardNodes: graph.nodes.length,
    stepNodes: step.nodes.length,
    forward: spreadOf(forward),
    step: spreadOf(steps[i]!),
    ratio: ratioOf(steps[i]!, forward),
    products: productsOf(step) / own,
    flow: flowOf(graph, trained) / own,
  }));
}

const ms = (x: number): string => x.toFixed(x < 10 ? 1 : 0);

const cells = (r: Row): string[] => [
  r.model,
  String(r.batch),
  r.adapter,
  `${r.forwardNodes}, ${r.stepNodes}`,
  `${ms(r.forward.median)}, ${ms(r.step.median)}`,
  `**${r.ratio.median.toFixed(2)}** (${r.ratio.low.toFixed(2)}–${r.ratio.high.toFixed(2)})`,
  (r.step.least / r.forward.least).toFixed(2),
  r.flow.toFixed(2),
  r.products.toFixed(2),
  `${((100 * r.products) / r.ratio.median).toFixed(0)} %`,
];

/** @param only models whose name has this in it; nothing is kept then */
export async function main(rounds = 11, only = ''): Promise<void> {
  // The engine compiles what runs often a second time, beside its first runs.
  await measureStep(models[0]!, 1, 3);
  const rows: Row[] = [];
  for (const model of models.filter(({ name }) => name.includes(only)))
    for (const batch of model.batches) {
      rows.push(...(await measureStep(model, batch, rounds)));
      for (const row of rows.slice(-Object.keys(model.adapters).length)) console.error(cells(row).join('  '));
    }
  if (only !== '') return;
  await record(
    'models',
    here(),
    { rounds, rows },
    table(
      [
        'Model',
        'Batch',
        'Blocks',
        'Nodes: forward, step',
        'ms: forward, step',
        'Step ÷ forward',
        'Least ÷ least',
        'Flow',
        'Products',
        'Share',
      ],
      rows.map(cells),
    ),
  );
}
