/**
 * @file `npm run bench -- profile [builtin|FILE.onnx] [batch] [rounds]`: where the time of a training step goes on WebAssembly, by role (forward, gradient of
 * which operator, rotation, Gram matrices, update) and by operator, beside the frozen forward pass.
 */
import { readFileSync } from 'node:fs';
import type { Graph } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { likelyDims } from '#src/ops/import/likelyDims.ts';
import { defaultStep } from './defaultStep.ts';
import type { Kernel } from './kernelEvents.ts';
import { type Profile, profile } from './kernels.ts';
import { unet, unetStep } from './unet.ts';

/** Nodes that ONNX Runtime's WebGPU provider needs no dispatch for. */
const free = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten']);
const heavy = new Set(['Conv', 'FusedConv', 'ConvTranspose', 'MatMul', 'FusedMatMul', 'Gemm']);

/** Frozen forward pass and whole step of a model file, with the mean square of its first output for a loss. */
function ofFile(path: string, batch: number): readonly [Graph, Graph] {
  const model = decodeModel(readFileSync(path));
  const dims = likelyDims(model).map(({ name, value, kind }): [string, number] => [
    name,
    kind === 'batch' ? batch : value,
  ]);
  const graph = importGraph(model, Object.fromEntries(dims));
  return [graph, defaultStep(graph)];
}

export async function main(model: string | number = 'builtin', batch = 4, rounds = 9): Promise<void> {
  const started = performance.now();
  const frozen = model === 'builtin' ? unet(batch) : null;
  const [forward, step] = frozen ? [frozen, unetStep(frozen).stages[0]!.graph] : ofFile(String(model), batch);
  const compiled = performance.now() - started;
  const names = new Set(forward.nodes.map((node) => node.name));
  const before = await profile(forward, rounds);
  const after = await profile(step, rounds);
  const base = total(before.kernels);
  console.log(
    `${model}, batch ${batch}, one thread, the least of ${rounds} runs; compiled in ${compiled.toFixed(0)} ms`,
  );
  summary('forward, frozen', forward, before, base);
  summary('training step', step, after, base);
  table(
    'by role',
    after.kernels,
    base,
    ({ node, op }) => `${roleOf(node, names)}, ${heavy.has(op) ? 'products' : 'rest'}`,
  );
  table('by operator', after.kernels, base, ({ op }) => op);
  table('by operator of the frozen forward pass', before.kernels, base, ({ op }) => op);
}

const total = (kernels: readonly Kernel[]): number => kernels.reduce((sum, { ms }) => sum + ms, 0);

function summary(label: string, graph: Graph, { kernels, create, run }: Profile, base: number): void {
  const dispatches = graph.nodes.filter(({ op }) => !free.has(op)).length;
  console.log(
    `${label.padEnd(18)} ${graph.nodes.length} nodes, ${dispatches} that are no views, ${kernels.length} kernels after fusion: ${total(kernels).toFixed(1)} ms, ${(total(kernels) / base).toFixed(2)} forwards; a run takes ${run.toFixed(1)} ms of the processor, the session ${create.toFixed(0)}`,
  );
}

/** Emitted nodes begin with what they are for (Builder.within); nodes of the model, and what is fused of them, keep their names. */
function roleOf(node: string, names: ReadonlySet<string>): string {
  if (names.has(node)) return 'forward';
  const role = /^(backward|rotation|gram|loss|update|trace)\b[^/]*(?=\/)/.exec(node)?.[0];
  if (role !== undefined) return role;
  return /^[A-Z][A-Za-z]*_\d+$/.test(node) ? 'sums of gradients' : 'forward';
}

function table(
  title: string,
  kernels: readonly Kernel[],
  base: number,
  keyOf: (kernel: Kernel) => string,
): void {
  const rows = new Map<string, { count: number; ms: number }>();
  for (const kernel of kernels) {
    const row = rows.get(keyOf(kernel)) ?? { count: 0, ms: 0 };
    rows.set(keyOf(kernel), { count: row.count + 1, ms: row.ms + kernel.ms });
  }
  const whole = total(kernels);
  console.log(`\n${title}`);
  for (const [key, { count, ms }] of [...rows].sort(([, a], [, b]) => b.ms - a.ms))
    if (ms >= whole / 1000)
      console.log(
        `  ${key.padEnd(44)} ${String(count).padStart(5)} ${ms.toFixed(1).padStart(8)} ms ${((1000 * ms) / count).toFixed(0).padStart(6)} µs each ${((100 * ms) / whole).toFixed(1).padStart(5)} %  ${(ms / base).toFixed(2)} forwards`,
      );
}
