/** @file Peak memory of the built-in UNet's step, whole and with recomputation: estimated and measured, each in a process of its own. */
import { spawnSync } from 'node:child_process';
import { estimateMemory } from '#src/program/memory.ts';
import { withRecomputation } from '#src/program/recompute.ts';
import { createRuntime } from '#src/runtime/runtime.ts';
import { unet, unetFeeds, unetStep } from './unet.ts';

/** Bytes of all WebAssembly memories of this process: they only grow, so at the end they tell the highest that was needed. */
function watchMemories(): () => number {
  const memories: WebAssembly.Memory[] = [];
  const Own = WebAssembly.Memory;
  WebAssembly.Memory = class extends Own {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(this);
    }
  };
  return () => memories.reduce((n, m) => n + m.buffer.byteLength, 0);
}

export interface Peak {
  readonly segments: number;
  readonly stages: number;
  readonly loss: number;
  readonly seconds: number;
  /** Bytes. */
  readonly estimate: number;
  readonly wasm: number;
  readonly resident: number;
}

/** Two steps at a batch; segments 1: the whole step in one session. */
export async function measure(segments: number, batch: number): Promise<Peak> {
  const wasm = watchMemories();
  const whole = unetStep(unet(batch));
  const program = withRecomputation(whole, segments);
  const runtime = await createRuntime({ prefer: 'wasm', threads: 1 });
  const step = await runtime.load(program);
  let loss = NaN;
  const began = performance.now();
  for (let i = 0; i < 2; i++) {
    const out = await step.run(unetFeeds(i, 0, batch, 500), ['loss']);
    loss = Number(out['loss']![0]);
  }
  const seconds = (performance.now() - began) / 2000;
  const peak = {
    segments,
    stages: program.stages.length,
    loss,
    seconds,
    estimate: estimateMemory(program).total,
    wasm: wasm(),
    resident: process.resourceUsage().maxRSS * 1024,
  };
  await runtime.dispose();
  return peak;
}

const MB = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/**
 * Without a number: all variants side by side, each in a fresh process. With one: that variant alone, its figures as one line of JSON.
 */
export async function main(segments?: number, batch = 16): Promise<void> {
  if (segments !== undefined && segments > 0) {
    console.log(JSON.stringify(await measure(segments, batch)));
    return;
  }
  console.log(`Built-in UNet, batch ${batch}, wasm, one thread`);
  for (const variant of [1, 2, 3, 4, 6, 8, 12]) {
    const p = measureApart(variant, batch);
    console.log(
      `${variant === 1 ? 'whole' : `${variant} segments`}: estimated ${MB(p.estimate)}, wasm heap ${MB(p.wasm)}, process ${MB(p.resident)}, ${p.seconds.toFixed(2)} s per step, loss ${p.loss}`,
    );
  }
}

/** One variant in a fresh process. */
export function measureApart(segments: number, batch: number): Peak {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['scripts/bench.mjs', 'recompute', String(segments), String(batch)],
    { encoding: 'utf8' },
  );
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (status !== 0 || line === undefined) throw new Error(`${segments} segments: ${stderr || stdout}`);
  return JSON.parse(line) as Peak;
}
