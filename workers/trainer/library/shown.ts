/** @file What a checkpoint holds for the eye alone: none of it is needed to go on, so that what is damaged is left out. */
import * as v from 'valibot';
import { adapterFormats } from '#src/formats/adapters/adapterFiles.ts';
import { problemSchema } from '#src/store/runHeader.ts';
import type { Angles, Problem, RunResult, Unsaveable } from '../../protocol.ts';

/** Where a run was made, and what that cost. */
export type Made = Pick<RunResult, 'backend' | 'placement' | 'timings' | 'memory'>;

export interface Shown {
  readonly angles?: Angles | undefined;
  /** All that was said on the way. */
  readonly warnings?: readonly Problem[] | undefined;
  /** Kinds of file that this model's adapter cannot be saved as, where that was looked into. */
  readonly unsaveable?: readonly Unsaveable[] | undefined;
  readonly made?: Made | undefined;
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const angles = v.object({ step: count, mean: v.array(v.number()), largest: v.array(v.number()) });
const made = v.object({
  backend: v.object({
    kind: v.picklist(['webgpu', 'wasm']),
    reason: v.string(),
    threads: v.number(),
    adapter: v.nullable(v.string()),
  }),
  placement: v.object({
    nodes: count,
    elsewhere: v.array(
      v.object({ node: v.string(), op: v.string(), device: v.string(), reason: v.string() }),
    ),
  }),
  timings: v.record(v.string(), v.number()),
  memory: v.object({ weights: v.number(), state: v.number() }),
});
const unsaveable = v.array(v.object({ format: v.picklist(adapterFormats), reason: v.string() }));

/** Each part alone: one that is damaged takes no other along. */
const whole = <S extends v.GenericSchema>(schema: S, stored: unknown): v.InferOutput<S> | undefined => {
  const parsed = v.safeParse(schema, stored);
  return parsed.success ? parsed.output : undefined;
};

const parts = v.fallback(
  v.object({
    angles: v.optional(v.unknown()),
    warnings: v.optional(v.unknown()),
    unsaveable: v.optional(v.unknown()),
    made: v.optional(v.unknown()),
  }),
  {},
);

/** Never throws. */
export function parseShown(stored: unknown): Shown {
  const given = v.parse(parts, stored);
  return {
    angles: whole(angles, given.angles),
    warnings: whole(v.array(problemSchema), given.warnings),
    unsaveable: whole(unsaveable, given.unsaveable),
    made: whole(made, given.made),
  };
}
