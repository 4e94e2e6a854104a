/** @file Whatever was thrown, as a Problem: errors keep only their message across the worker's boundary, so they travel as data. */
import { FormatError, JobError } from '#src/formats/errors.ts';
import { GraphError } from '#src/graph/types.ts';
import { ModelError } from '#src/onnx/model.ts';
import { PlainError } from '#src/platform/refusals.ts';
import { isOutOfMemory, RuntimeError } from '#src/runtime/errors.ts';
import { RunElsewhere } from '#src/store/runLock.ts';
import { StoreError } from '#src/store/errors.ts';
import { DataError } from '#src/tasks/files.ts';
import type { Outcome, Problem, ProblemCode } from '../protocol.ts';

/** A Problem on its way up to the caller of the API. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.message, options);
    this.problem = problem;
  }
}

/** Of what nobody foresaw. */
const unforeseen = {
  message: 'Something went wrong in Rotune itself; it is no mistake of yours.',
  cure: 'Try again. If it happens again, report it with the details below.',
};
const SAVED = 'Everything up to the last checkpoint is saved.';

const describe = (cause: unknown): string =>
  cause instanceof Error
    ? `${cause.name}: ${cause.message}${cause.cause === undefined ? '' : `\ncaused by ${describe(cause.cause)}`}`
    : String(cause);

/** The user gave up. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** The Problem of a thrown error. `lost`: why the device was lost, if it was. */
export function problemOf(cause: unknown, lost: string | null = null): Problem {
  if (cause instanceof ProblemError) return cause.problem;
  if (cause instanceof Cancelled)
    return { code: 'cancelled', message: cause.message, safe: 'What was made ready so far is kept.' };
  const detail = describe(cause);
  const as = (code: ProblemCode, more: Partial<Problem> = {}): Problem => ({
    code,
    ...unforeseen,
    detail,
    ...(cause instanceof PlainError && { message: cause.message, cure: cause.cure }),
    ...more,
  });
  const runtime = cause instanceof RuntimeError ? cause.code : null;
  if (lost !== null || runtime === 'device-lost')
    return as('device-lost', {
      message: 'The graphics device was lost: the driver restarted, or another program took it.',
      safe: SAVED,
      cure: 'Continue from there. If it happens again, choose the CPU.',
      detail: [lost, detail].filter(Boolean).join('\n'),
    });
  if (cause instanceof RunElsewhere) return as('another-tab');
  if (cause instanceof StoreError)
    return as('storage', {
      safe: 'Nothing that was saved before is lost.',
      ...(cause.failure === 'full' && { full: true }),
    });
  if (cause instanceof ModelError) return as('bad-model');
  if (cause instanceof DataError) return as('bad-data');
  if (cause instanceof GraphError) return as('unsupported');
  if (cause instanceof JobError) return as('bad-job', { item: cause.key });
  if (cause instanceof FormatError) return as('bad-job');
  if (isOutOfMemory(cause))
    return as('out-of-memory', {
      message: 'There is not enough memory for this job.',
      safe: SAVED,
      cure: 'Use a smaller batch (with more accumulation), fewer or smaller blocks, or close other tabs.',
    });
  if (runtime === 'session') return as('unsupported');
  if (runtime === 'run') return as('internal', { safe: SAVED });
  if (cause instanceof PlainError) return as('bad-data');
  // What was thrown is in the details: its words help those who mend it.
  return as('internal', { safe: SAVED });
}

export const good = <T>(value: T): Outcome<T> => ({ ok: true, value });
export const bad = <T>(problem: Problem): Outcome<T> => ({ ok: false, problem });

export const busy: Problem = {
  code: 'busy',
  message: 'A run is going on.',
  cure: 'Pause or stop it first.',
};

export const noRun: Problem = {
  code: 'no-run',
  message: 'There is no trained adapter yet.',
  cure: 'Start a run, or continue a saved one.',
};
