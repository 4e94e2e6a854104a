/** @file `npm run bench -- room [batch]`: the estimated peak memory of a step by batch, whole and with its forward pass in segments, and what the segments cost in time. */
import type { Graph } from '#src/graph/types.ts';
import { meanSquare } from '#src/program/testing/steps.ts';
import { estimateMemory } from '#src/program/memory.ts';
import { leastMemory } from '#src/program/recompute.ts';
import type { TrainingOptions } from '#src/program/training.ts';
import { programOf } from '#src/program/testing/steps.ts';
import { gpt, vit } from './networks.ts';
import { measureApart } from './recompute.ts';
import { here, record, table } from './record.ts';
import { pictureError, unet } from './unet.ts';

const models: Readonly<Record<string, readonly [(batch: number) => Graph, TrainingOptions['loss']]>> = {
  'UNet, built in': [unet, pictureError],
  'ViT, 4 × 192, 64 tokens': [vit, meanSquare],
  'GPT, 4 × 192, 64 tokens': [gpt, meanSquare],
};

interface Room {
  readonly model: string;
  readonly batch: number;
  /** Bytes. */
  readonly whole: number;
  readonly cut: number;
  /** In which the least is needed. */
  readonly segments: number;
}

function estimate(model: string, batch: number): Room {
  const [make, loss] = models[model]!;
  const program = programOf(make(batch), {}, loss);
  const least = leastMemory(program);
  return {
    model,
    batch,
    whole: estimateMemory(program).total,
    cut: estimateMemory(least.program).total,
    segments: least.segments,
  };
}

const MB = (bytes: number): string => (bytes / 1e6).toFixed(0);

/** @param batch at which steps of the built-in UNet are timed, each kind in a process of its own */
export async function main(batch = 16): Promise<void> {
  const rows = Object.keys(models).flatMap((model) =>
    [1, 2, 4, 8, 16, 32, 64].map((n) => estimate(model, n)),
  );
  const { segments } = rows.find((r) => r.model.startsWith('UNet') && r.batch === batch) ?? { segments: 6 };
  const timed = [1, 2, segments, 1, 2, segments].map((n) => measureApart(n, batch));
  const least = (n: number) =>
    timed.filter((p) => p.segments === n).reduce((a, b) => (b.seconds < a.seconds ? b : a));
  const whole = least(1);
  const text = [
    table(
      ['Model', 'Batch', 'Whole, MB', 'In segments, MB', 'Segments', 'Share'],
      rows.map((r) => [
        r.model,
        String(r.batch),
        MB(r.whole),
        MB(r.cut),
        String(r.segments),
        `${((100 * r.cut) / r.whole).toFixed(0)} %`,
      ]),
    ),
    table(
      [`UNet, batch ${batch}`, 'Estimate, MB', 'Wasm heap, MB', 's per step', 'Times the whole step'],
      [1, 2, segments]
        .map(least)
        .map((p) => [
          p.segments === 1 ? 'whole' : `${p.segments} segments`,
          MB(p.estimate),
          MB(p.wasm),
          p.seconds.toFixed(2),
          (p.seconds / whole.seconds).toFixed(2),
        ]),
    ),
  ].join('\n\n');
  await record('room', here(), { rows, timed }, text);
}
