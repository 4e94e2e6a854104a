/** @file Memory over a long run: steps of the built-in UNet through the runtime on wasm; the process's resident set should stay flat. */
import { createRuntime } from '#src/runtime/runtime.ts';
import { unet, unetFeeds, unetStep } from './unet.ts';

/** Prints resident set size in MB at regular points. */
export async function main(steps = 1000): Promise<void> {
  const program = unetStep(unet(1));
  const runtime = await createRuntime({ prefer: 'wasm', threads: 1 });
  const step = await runtime.load(program);
  for (let i = 0; i <= steps; i++) {
    const out = await step.run(unetFeeds(i, i, 1, i % 1000), ['loss']);
    if (i % (steps / 10) === 0)
      console.log(
        `step ${i}: resident ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB, loss ${out['loss']![0]}`,
      );
  }
  await runtime.dispose();
}
