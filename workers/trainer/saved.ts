/** @file What the store keeps of a run: the training checkpoint, and what the page needs to show it again. */
import * as v from 'valibot';
import { jobFromTable, jobToTable } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { inverseLengths } from '#src/oft/rotation/inverses.ts';
import { parameterLayout, type WholeWeight } from '#src/oft/rotation/parameters.ts';
import { defaultSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import type { Layer, LayerSettings, PlannedLayer } from '#src/oft/types.ts';
import { RunStore } from '#src/store/runs.ts';
import { DataError } from '#src/tasks/files.ts';
import { type Checkpoint, parseCheckpoint } from '#src/training/checkpoint.ts';
import type { Picture, Samples } from '#src/tasks/types.ts';
import { parseShown, type Shown } from './library/shown.ts';

export interface SampleRow extends Samples {
  readonly step: number;
}

/** The adapter file that a run started from. */
export interface Origin {
  readonly name: string;
  /** SHA-256 over its files, hexadecimal. */
  readonly hash: string;
}

export interface Saved {
  readonly checkpoint: Checkpoint;
  /** null: the run started from the untouched model. */
  readonly adapter: Origin | null;
  /** All of the model's layers that can be adapted; those planned alone in runs of older versions. */
  readonly layers: readonly Layer[];
  /** So that the adapter can be exported without the model at hand. */
  readonly planned: readonly PlannedLayer[];
  /** Weights that are trained as they are. */
  readonly whole: readonly WholeWeight[];
  /** Of the training data. */
  readonly dataHash: string;
  /** Names of the classes, where the model tells classes apart. */
  readonly classes?: readonly string[];
  /** Newton–Schulz rounds that the training step was compiled with. */
  readonly rounds: number;
  /** The largest of the inverses that was not looked into yet: more rounds may come at the next reading. */
  readonly residual: number;
  /** The first and the last rows of samples, so that a page that was reloaded can show them. */
  readonly samples: readonly SampleRow[];
  /** What else the page shows of a run; absent in runs of older versions. */
  readonly shown?: Shown;
}

const rowsSchema = v.array(
  v.object({
    step: v.number(),
    prompts: v.array(v.string()),
    pictures: v.array(
      v.object({
        width: v.number(),
        height: v.number(),
        rgba: v.custom<Picture['rgba']>((x) => x instanceof Uint8ClampedArray),
      }),
    ),
    texts: v.optional(v.array(v.string())),
  }),
);

const whole = v.pipe(v.number(), v.integer(), v.minValue(1));

const layerSchema = v.looseObject({
  layer: v.looseObject({
    path: v.string(),
    kind: v.picklist(['linear', 'conv']),
    in: whole,
    out: whole,
    kernel: v.array(whole),
    groups: whole,
  }),
  rule: v.nullable(v.number()),
  count: whole,
  size: whole,
  rescale: v.boolean(),
  constraint: v.number(),
  lrScale: v.number(),
});

/**
 * A planned layer as stored. Runs that began when Rotune knew LyCORIS's Diag-OFT only say nothing of side, algorithm, clamp and the like:
 * those had its settings.
 */
function restored(stored: v.InferOutput<typeof layerSchema>): PlannedLayer {
  const known = { ...defaultSettings, stages: 1, share: false, ...stored } as unknown as PlannedLayer;
  return plannedLayer(known.layer, settingsFrom(known), known, known.rule);
}

const settingsFrom = (known: PlannedLayer): LayerSettings =>
  Object.fromEntries(
    Object.keys(defaultSettings).map((key) => [key, known[key as keyof LayerSettings]]),
  ) as unknown as LayerSettings;

const savedSchema = v.object({
  checkpoint: v.unknown(),
  adapter: v.optional(v.nullable(v.object({ name: v.string(), hash: v.string() })), null),
  layers: v.optional(v.array(v.looseObject({ path: v.string() }))),
  planned: v.pipe(v.array(layerSchema), v.minLength(1)),
  whole: v.optional(v.array(v.object({ name: v.string(), shape: v.array(whole) })), []),
  dataHash: v.string(),
  classes: v.optional(v.array(v.string())),
  rounds: whole,
  residual: v.optional(v.number()),
  /** Stands for a residual in runs of older versions. */
  roundsWanted: v.optional(v.boolean()),
  samples: v.array(v.unknown()),
  shown: v.optional(v.unknown()),
});

/**
 * State that a checkpoint holds: all but the trace of losses, which is in the history and may hold numbers that are not finite, and the sums of losses, which
 * are 0 between updates.
 */
export const checkpointed = (name: string): boolean => !['trace', 'loss_totals'].includes(name);

/** The job as stored, checked with the schema that job files have. Throws JobError. */
export const parseStoredJob = (stored: unknown): Job => jobFromTable(jobToTable(stored as Job));

/** Throws for anything that is not whole. Sample rows are a luxury: damaged ones are left out. */
export function parseSaved(stored: unknown): Saved {
  const outer = v.parse(savedSchema, stored);
  const checkpoint = parseCheckpoint(outer.checkpoint, parseStoredJob);
  const planned = outer.planned.map(restored);
  const layout = parameterLayout(planned, outer.whole);
  const inverses = inverseLengths(layout);
  const { theta } = checkpoint.state;
  if (
    !theta ||
    Object.entries(checkpoint.state).some(([name, x]) => x.length !== (inverses.get(name) ?? layout.size))
  )
    throw new DataError(`The checkpoint is damaged: its layers take ${layout.size} numbers.`, {
      cure: 'Discard the run, and start it again.',
    });
  const rows = v.safeParse(rowsSchema, outer.samples);
  return {
    checkpoint,
    adapter: outer.adapter,
    layers: (outer.layers as unknown as readonly Layer[] | undefined) ?? planned.map((p) => p.layer),
    planned,
    whole: outer.whole,
    dataHash: outer.dataHash,
    ...(outer.classes && { classes: outer.classes }),
    rounds: outer.rounds,
    residual: outer.residual ?? (outer.roundsWanted ? 1 : 0),
    samples: rows.success ? rows.output : [],
    ...(outer.shown !== undefined && { shown: parseShown(outer.shown) }),
  };
}

/** Sample rows take at most so many bytes of a checkpoint. */
const ROWS_LIMIT = 4 * 2 ** 20;

/** The untouched model's row and as many of the latest as fit. */
export function keptRows(rows: readonly SampleRow[], limit = ROWS_LIMIT): SampleRow[] {
  const size = (row: SampleRow): number =>
    row.pictures.reduce((n, p) => n + p.rgba.byteLength, 0) +
    (row.texts ?? []).reduce((n, text) => n + 2 * text.length, 0);
  const [first, ...others] = rows.toSorted((a, b) => a.step - b.step);
  if (!first || size(first) > limit) return [];
  let room = limit - size(first);
  const latest: SampleRow[] = [];
  for (const row of others.reverse()) {
    room -= size(row);
    if (room < 0) break;
    latest.unshift(row);
  }
  return [first, ...latest];
}

export type Runs = RunStore<Saved>;

export const openRuns = (database?: string): Runs =>
  new RunStore<Saved>({ content: parseSaved, job: parseStoredJob }, database);
