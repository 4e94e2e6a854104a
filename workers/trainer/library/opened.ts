/** @file A saved run read back for the page. */
import type { RunHeader } from '#src/store/runHeader.ts';
import type { RunResult, SavedRun } from '../../protocol.ts';
import { meansOf } from '#src/training/checkpoint.ts';
import { ProblemError } from '../problems.ts';
import { gone } from '../run/resume.ts';
import type { Runs, Saved } from '../saved.ts';

/** A run that was cut off or failed can go on, as a paused one. */
const outcomeOf = ({ state }: RunHeader): RunResult['outcome'] =>
  state === 'finished' || state === 'stopped' ? state : 'paused';

/**
 * The newest state that can be read.
 * @param held the newest state where it could not be stored; null: what is stored is the newest
 * @throws ProblemError where nothing of it is saved, StoreError where all of it is damaged
 */
export async function savedRun(
  runs: Runs,
  held: Saved | null,
  id: string,
): Promise<{ readonly saved: Saved; readonly run: SavedRun }> {
  const stored = await runs.load(id);
  const known = await runs.find(id);
  const summary = known ?? stored?.header;
  const saved = held ?? stored?.content;
  if (!summary || !saved) throw new ProblemError(gone);
  const { checkpoint, samples, layers, planned, whole, classes, shown = {} } = saved;
  const { step, history, evaluations } = checkpoint;
  const orthogonality = evaluations.find((each) => each.step === step)?.orthogonality;
  const { made, angles = null, warnings = [], unsaveable = [] } = shown;
  return {
    saved,
    run: {
      summary,
      ...{ history, evaluations, samples, layers, planned, angles, warnings, unsaveable },
      whole: whole.map(({ name }) => name),
      classes: classes ?? [],
      result: made
        ? {
            ...{ id, step, history, evaluations, orthogonality, means: meansOf(checkpoint) },
            ...made,
            outcome: outcomeOf(summary),
          }
        : null,
      ...(orthogonality && { orthogonality }),
      fellBack: held === null && (stored?.fellBack ?? false),
    },
  };
}
