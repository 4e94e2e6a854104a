/** @file Steps over weights as they are and in 8 and 4 bits, in turn: their time beside the float step's, bytes, and the heap, each in a process of its own. */
import { spawnSync } from 'node:child_process';
import type { Graph } from '#src/graph/types.ts';
import type { Bits } from '#src/onnx/blockwise.ts';
import { constantOf, tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { scheduleTensor } from '#src/optim/adamw.ts';
import { estimateMemory } from '#src/program/memory.ts';
import { quantised } from '#src/program/quantised.ts';
import { plainOptimiser, programOf } from '#src/program/testing/steps.ts';
import type { Program } from '#src/program/types.ts';
import { heap } from '#src/runtime/heap.ts';
import { createRuntime } from '#src/runtime/runtime.ts';
import { random } from '#src/tasks/random.ts';
import type { Tensors } from '#src/tasks/types.ts';
import { inTurn, ratioOf, spreadOf } from './timing.ts';
import { unet, unetFeeds, unetStep } from './unet.ts';

const [LAYERS, WIDTH, ROWS] = [12, 1536, 128];
const VARIANTS: readonly (Bits | 0)[] = [0, 8, 4];

/** Layers of equal width, as a transformer's feed-forward parts have them. */
function dense(): Graph {
  const g = builder();
  let x = g.input('x', 'float32', [ROWS, WIDTH]);
  for (let i = 0; i < LAYERS; i++) {
    const numbers = random(i, 'weight', 0).normal(WIDTH * WIDTH);
    const data = numbers.map((n) => n / Math.sqrt(WIDTH));
    const w = g.initializer(`layers.${i}.weight`, constantOf(tensor('float32', [WIDTH, WIDTH], data)));
    x = g.emit('Tanh', [g.emit('Gemm', [x, w], { transB: 1 }, { name: `layers.${i}` })]);
  }
  g.output(x, 'y');
  return g.build();
}

const held = (graph: Graph, bits: Bits | 0): Graph => (bits === 0 ? graph : quantised(graph, bits).graph);

const denseStep = (bits: Bits | 0): Program => programOf(held(dense(), bits));

const denseFeeds = (i: number): Tensors => ({
  x: random(0, 'x', i).normal(ROWS * WIDTH),
  schedule: scheduleTensor(1e-4, plainOptimiser.betas, i + 1, true),
});

const kinds = {
  'the built-in UNet, batch 4': {
    step: (bits: Bits | 0) => unetStep(held(unet(4), bits)),
    feeds: (i: number) => unetFeeds(i, i, 4, 500),
  },
  [`${LAYERS} dense layers of ${WIDTH}², ${ROWS} rows`]: { step: denseStep, feeds: denseFeeds },
};

const MB = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const named = (bits: Bits | 0): string => (bits === 0 ? 'float' : `${bits} bits`);

/** Highest bytes of WebAssembly that two steps of the dense layers take. */
async function heapOf(bits: Bits | 0): Promise<number> {
  heap.begin();
  const runtime = await createRuntime({ prefer: 'wasm', threads: 1 });
  const step = await runtime.load(denseStep(bits));
  for (let i = 0; i < 2; i++) await step.run(denseFeeds(i), ['loss']);
  const { bytes } = heap;
  await runtime.dispose();
  return bytes ?? 0;
}

/** @param bits of the one variant whose heap is printed; left out: everything */
export async function main(bits?: Bits | 0, rounds = 15): Promise<void> {
  if (bits !== undefined) {
    console.log(await heapOf(bits));
    return;
  }
  for (const [name, { step, feeds }] of Object.entries(kinds)) {
    const runtime = await createRuntime({ prefer: 'wasm', threads: 1 });
    const programs = VARIANTS.map(step);
    const loaded = [];
    for (const program of programs) loaded.push(await runtime.load(program));
    let i = 0;
    const entries = loaded.map((each) => ({ run: async () => void (await each.run(feeds(i++), ['loss'])) }));
    const times = await inTurn(entries, rounds);
    console.log(name);
    VARIANTS.forEach((variant, k) => {
      const { weights } = estimateMemory(programs[k]!);
      const ms = spreadOf(times[k]!).median;
      console.log(
        `  ${named(variant)}: weights ${MB(weights)}, step ${ms.toFixed(0)} ms, ${ratioOf(times[k]!, times[0]!).median.toFixed(2)} of float`,
      );
    });
    await runtime.dispose();
  }
  for (const variant of VARIANTS) {
    const words = ['scripts/bench.mjs', 'rounded', String(variant)];
    const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    const bytes = Number(stdout.trim().split('\n').at(-1));
    console.log(`heap of the dense layers, ${named(variant)}: ${bytes > 0 ? MB(bytes) : stderr.slice(-300)}`);
  }
}
