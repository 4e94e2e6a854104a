/** @file A trained or opened adapter: what the plan made of the layers, the numbers, and its files for every tool. */
import { adapterKind, writeAdapter } from '#src/formats/adapters/adapterFiles.ts';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { printJob } from '#src/formats/jobs/printJob.ts';
import { torchWeights } from '#src/formats/onnx/onnxWeights.ts';
import { zipFiles } from '#src/formats/files/zip.ts';
import { loadAll } from '#src/onnx/external.ts';
import { layerAngles } from '#src/oft/rotation/hostRotation.ts';
import { type Layout, readParameters, readWhole } from '#src/oft/rotation/parameters.ts';
import type { Layer } from '#src/oft/types.ts';
import type { LoadExternal } from '#src/runtime/types.ts';
import type { ExportedFile, RunEvent } from '../../protocol.ts';
import type { WrittenAdapter } from '#src/formats/adapters/adapterTypes.ts';
import type { TaskModel } from '#src/tasks/types.ts';
import { ProblemError } from '../problems.ts';

export interface Adapter {
  /** Of the run that it comes from. */
  readonly id: string;
  readonly job: Job;
  /** All layers of the model that can be adapted, as far as they are known. */
  readonly layers: readonly Layer[];
  readonly layout: Layout;
  readonly theta: Float32Array;
  readonly step: number;
  readonly modelHash: string;
  /** Names of the classes, where the model tells classes apart. */
  readonly classes?: readonly string[] | undefined;
  /** Name of the file that it was opened from. */
  readonly opened?: string;
  /** W′ − W by layer path, in torch's order: what a file of differences holds instead of rotations. */
  readonly differences?: ReadonlyMap<string, Float32Array>;
}

/** "builtin:high-contrast/train" → "high-contrast". */
const shortName = (source: string): string =>
  source
    .replace(/^builtin:/, '')
    .replace(/\/train$/, '')
    .replace(/\.(safetensors|zip)$/, '')
    .split('/')
    .filter(Boolean)
    .at(-1)
    ?.replaceAll(/[^\w.-]+/g, '-') || 'own';

const nameOf = ({ job, step, opened }: Adapter, format: AdapterFormat): string =>
  opened === undefined
    ? `${shortName(job.model)}-${shortName(job.data.train)}-oft-${step}${adapterKind(format).suffix}`
    : `${shortName(opened)}${adapterKind(format).suffix || '-lycoris'}`;

/**
 * The adapter as a file of that kind; several files as one ZIP archive.
 * @param model its parts with all weights; asked for only where the kind holds weights
 * @throws FormatError where that kind cannot hold it, ProblemError for differences
 */
export async function exportAs(
  adapter: Adapter,
  format: AdapterFormat,
  model: () => Promise<TaskModel['parts']>,
): Promise<ExportedFile> {
  const { job, layers, layout, theta, modelHash, differences, classes } = adapter;
  if (differences)
    throw new ProblemError({
      code: 'unsupported',
      message: `${adapter.opened ?? 'This adapter'} holds whole weight differences, no rotations: it can be drawn with, but not be saved as another kind of file.`,
      cure: 'Use the file as it is.',
    });
  const adapted = new Set(layout.planned.map((p) => p.layer.path));
  const { dim } = job.plan.blocks;
  const { holds } = adapterKind(format);
  const parts = holds === 'rotations' ? [] : await model();
  const turned = readParameters(layout, theta);
  const whole = readWhole(layout, theta);
  const write = (own: typeof turned, part?: TaskModel['parts'][number]) =>
    writeAdapter(format, {
      layers: own,
      whole,
      meta: { modelHash, job: printJob(job), ...(dim !== undefined && { dim }) },
      others: layers.filter(({ path }) => !adapted.has(path)),
      ...(parts.length > 0 && { weight: weightOf(parts) }),
      ...(part && { model: { model: part.file.model, ...(classes && { classes }) } }),
    });
  const written =
    holds === 'model'
      ? joined(
          await Promise.all(
            parts.map(async (part) => ({
              part: part.part,
              ...(await write(
                parts.length > 1 ? turned.filter(({ layer }) => layer.layer.part === part.part) : turned,
                part,
              )),
            })),
          ),
        )
      : await write(turned);
  const { files, losses } = written;
  const [only, ...more] = files;
  const single = more.length === 0 ? only : undefined;
  return {
    name: `${nameOf(adapter, format)}.${single ? single.path.split('.').at(-1)! : 'zip'}`,
    bytes: single ? single.bytes : await zipFiles(files),
    layers: written.layers,
    losses,
  };
}

/** The parts of a model with all of their weights in memory: files of weights are written and differences added on the host. */
export const wholeParts = (model: TaskModel, external: LoadExternal): Promise<TaskModel['parts']> =>
  Promise.all(
    model.parts.map(async ({ part, file }) => ({
      part,
      file: { ...file, model: await loadAll(file.model, external) },
    })),
  );

/** A layer's weight in torch's order, from the file of its part. */
export function weightOf(parts: TaskModel['parts']): (layer: Layer) => Float32Array {
  const own = new Map(parts.map(({ part, file }) => [part, torchWeights(file.model)]));
  return (layer) => {
    const weights = own.get(layer.part ?? '') ?? [...own.values()][0];
    if (!weights) throw new Error('A model without parts.');
    return weights(layer);
  };
}

/** The files of several parts, each in its own folder. */
function joined(written: readonly (WrittenAdapter & { readonly part: string })[]): WrittenAdapter {
  const [only, ...more] = written;
  if (only && more.length === 0) return only;
  return {
    files: written.flatMap(({ part, files }) =>
      files.map(({ path, bytes }) => ({ path: `${part}/${path}`, bytes })),
    ),
    losses: [...new Set(written.flatMap((w) => w.losses))],
    layers: written.reduce((n, w) => n + w.layers, 0),
  };
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
