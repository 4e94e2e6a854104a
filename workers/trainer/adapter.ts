/** @file A trained adapter: what the plan made of the layers, and the numbers. */
import type { Job } from '#src/formats/jobTypes.ts';
import { writeLycoris } from '#src/formats/lycoris.ts';
import { printJob } from '#src/formats/job.ts';
import { layerAngles } from '#src/oft/hostRotation.ts';
import { type Layout, readParameters } from '#src/oft/parameters.ts';
import type { AdapterFormat } from '#src/formats/adapterFormat.ts';
import type { ExportedFile, RunEvent } from '../protocol.ts';
import { ProblemError } from './problems.ts';

export interface Adapter {
  /** Of the run that it comes from. */
  readonly id: string;
  readonly job: Job;
  readonly layout: Layout;
  readonly theta: Float32Array;
  readonly step: number;
  readonly modelHash: string;
}

/** "builtin:high-contrast/train" → "high-contrast". */
const shortName = (source: string): string =>
  source
    .replace(/^builtin:/, '')
    .replace(/\/train$/, '')
    .split('/')
    .filter(Boolean)
    .at(-1)
    ?.replaceAll(/[^\w.-]+/g, '-') || 'own';

/** The adapter as a file of that kind. Throws ProblemError for a kind that is not written yet. */
export async function exportAs(
  { job, layout, theta, step, modelHash }: Adapter,
  format: AdapterFormat,
): Promise<ExportedFile> {
  if (format !== 'lycoris')
    throw new ProblemError({
      code: 'unsupported',
      message: `Adapters cannot be saved as ${format} here.`,
      cure: 'Save it for LyCORIS.',
    });
  const layers = readParameters(layout, theta);
  const { blocks } = job.plan;
  const bytes = await writeLycoris(layers, {
    modelHash,
    job: printJob(job),
    ...(blocks.dim !== undefined && { dim: blocks.dim }),
  });
  const name = `${shortName(job.model)}-${shortName(job.data.train)}-oft-${step}.safetensors`;
  return { name, bytes, layers: layers.length, losses: [] };
}

/** How far each layer is turned. */
export function anglesOf(
  layout: Layout,
  theta: Float32Array,
  step: number,
): Extract<RunEvent, { kind: 'angles' }> {
  const angles = readParameters(layout, theta).map(({ layer, blocks }) => layerAngles(layer, blocks));
  return { kind: 'angles', step, mean: angles.map((a) => a.mean), largest: angles.map((a) => a.largest) };
}
