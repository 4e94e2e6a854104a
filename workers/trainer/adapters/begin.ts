/** @file Where a run begins: at the untouched model, at an adapter file, or at a checkpoint of a run that began at either. */
import { withCure } from '#src/platform/refusals.ts';
import { FormatError } from '#src/formats/errors.ts';
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import { decideLayers } from '#src/oft/plan/rules.ts';
import type { PlanProblem } from '#src/oft/plan/types.ts';
import { planProblems } from '#src/oft/plan/planning.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import { DataError } from '#src/tasks/files.ts';
import type { AdapterReport, JobRequest, Problem } from '../../protocol.ts';
import type { Origin, Saved } from '../saved.ts';
import type { Loader } from '../files/loader.ts';
import { sourceName } from '../files/sources.ts';
import { continueFrom, reportOf, type Start } from './start.ts';

export interface Beginning {
  readonly planned: readonly PlannedLayer[];
  readonly planProblems: readonly PlanProblem[];
  /** Of the adapter file. */
  readonly problems: readonly (Problem & { readonly severity: 'error' | 'warning' })[];
  readonly adapter: Origin | null;
  readonly report: AdapterReport | null;
  /** The numbers to start with, by layer path; null: the untouched model's. */
  readonly numbers: ReadonlyMap<string, LayerParameters> | null;
}

const notAStart = (name: string): Beginning['problems'][number] => ({
  severity: 'error',
  code: 'bad-data',
  item: name,
  message: `${name} holds whole weight differences (.diff), no rotations: there is nothing to turn on from.`,
  cure: 'Start from the untouched model, or from a file with oft_blocks or oft_R. To see what this one does, open it for drawing.',
});

const notGiven = (name: string): Beginning['problems'][number] => ({
  severity: 'error',
  code: 'bad-data',
  item: name,
  message: `The job starts from the adapter “${name}”, which was not given.`,
  cure: 'Pick its file or folder, or take it out of the job.',
});

/** The plan of a saved run on the layers of the model at hand; null: it is another model. */
function savedPlan(saved: Saved, layers: readonly Layer[]): PlannedLayer[] | null {
  const byPath = new Map(layers.map((layer) => [layer.path, layer]));
  const planned = saved.planned.flatMap((p) => {
    const layer = byPath.get(p.layer.path);
    return layer ? [{ ...p, layer }] : [];
  });
  return planned.length === saved.planned.length ? planned : null;
}

/**
 * Plans the layers, and reads the adapter file of the request if there is one. A run that goes on does not need its file again: its plan is
 * in the checkpoint. Problems of the file are listed, not thrown.
 */
export async function begin(
  { job, adapter: source }: JobRequest,
  loader: Loader,
  modelHash: string,
  layers: readonly Layer[],
  saved: Saved | null,
): Promise<Beginning> {
  const decided = decideLayers(layers, job.plan);
  const untouched: Beginning = {
    planned: decided.decisions.flatMap((d) => d.planned ?? []),
    planProblems: planProblems(layers, decided),
    problems: [],
    adapter: null,
    report: null,
    numbers: null,
  };
  let start: Start | null = null;
  if (source) {
    try {
      start = await loader.adapter(source, modelHash, layers);
    } catch (error) {
      if (!(error instanceof FormatError) && !(error instanceof DataError)) throw error;
      const item = sourceName(source);
      return {
        ...untouched,
        problems: [{ severity: 'error', code: 'bad-data', item, message: error.message, ...withCure(error) }],
      };
    }
  }
  const origin = start && { name: start.name, hash: start.hash };
  if (saved?.adapter && saved.checkpoint.modelHash === modelHash) {
    const before = savedPlan(saved, layers);
    if (before)
      return {
        ...untouched,
        planned: before,
        // It was begun: what is there to say of its plan was said then.
        planProblems: [],
        adapter: origin ?? saved.adapter,
        report: start && reportOf(start),
      };
  }
  if (!start)
    return job.adapter === undefined ? untouched : { ...untouched, problems: [notGiven(job.adapter)] };
  if (start.file.differences)
    return { ...untouched, problems: [notAStart(start.name)], report: reportOf(start) };
  const { planned, decisions, numbers, notes } = continueFrom(start.file, decided.decisions, job.plan);
  return {
    planned,
    planProblems: planProblems(layers, { ...decided, decisions }),
    problems: [],
    adapter: origin,
    report: reportOf(start, notes),
    numbers,
  };
}
