/** @file Whether a run fits the device, before it starts. */
import { byteLength } from '#src/onnx/tensor.ts';
import { estimateMemory } from '#src/program/memory.ts';
import { leastMemory } from '#src/program/recompute.ts';
import type { Program } from '#src/program/types.ts';
import { memoryVerdict, type OfferedMemory, type ReliefOptions, reliefs } from '#src/program/verdict.ts';
import type { Fit } from '../../protocol.ts';
import { BITS, inBits } from './held.ts';
import type { Setup } from './types.ts';

/** The largest tensor of a program by its bytes. */
function largestTensor({ stages }: Program): { name: string; bytes: number } | null {
  let largest: { name: string; bytes: number } | null = null;
  for (const { graph } of stages)
    for (const { name, type, shape } of graph.values.values()) {
      if (type === 'string') continue;
      const bytes = byteLength(type, shape);
      if (bytes > (largest?.bytes ?? 0)) largest = { name, bytes };
    }
  return largest;
}

/** Options that hold the length of what a model reads. */
const lengths = ['maxLength', 'length', 'sequence'];

/** What fewer bits for the weights would save, where they are held as they are. */
function roundedBy({ job, trained, layout }: Setup): ReliefOptions['rounded'] {
  if (job.train.quantise !== 'no') return [];
  return (['int8', 'int4'] as const).flatMap((quantise) => {
    const { weights } = inBits(trained.graph, BITS[quantise]!, layout);
    const saved = weights.reduce((sum, { before, after }) => sum + before - after, 0);
    return saved > 0 ? [{ quantise, saved }] : [];
  });
}

/** Estimate, verdict, and what would help where it is not well within. */
export function fitOf(setup: Setup, offered: OfferedMemory): Fit {
  const program = setup.program(setup.rounds);
  const estimate = estimateMemory(program);
  const verdict = memoryVerdict(estimate, offered, largestTensor(program));
  const { batch, accumulate, recompute } = setup.job.train;
  const key = lengths.find((name) => typeof setup.job.options[name] === 'number');
  const length = key === undefined ? null : { key, value: Number(setup.job.options[key]) };
  const { weights, state, activations } = estimate;
  const help =
    verdict.kind === 'tight' || verdict.kind === 'will-not-fit'
      ? reliefs(estimate, offered, {
          batch,
          accumulate,
          recompute,
          length: length && length.value > 0 ? length : null,
          rounded: roundedBy(setup),
          recomputed: () => estimateMemory(leastMemory(program).program),
        })
      : [];
  return { ...verdict, weights, state, activations, reliefs: help };
}
