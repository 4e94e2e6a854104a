/** @file Runs as one archive, to be kept or taken to another browser. */
import { reasonOf } from '#src/platform/refusals.ts';
import type { ExportedRuns } from '../../protocol.ts';
import { ProblemError } from '../problems.ts';
import { gone } from '../run/resume.ts';
import type { Runs } from '../saved.ts';
import { RunArchive } from './archive.ts';

/** A name that every file system takes. */
const fileName = (name: string): string =>
  name
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')
    .replaceAll(/^[.-]+|[.-]+$/g, '')
    .slice(0, 60) || 'run';

/** Throws ProblemError where none of them can be read. */
export async function exportRuns(runs: Runs, ids: readonly string[]): Promise<ExportedRuns> {
  const archive = new RunArchive();
  const left: ExportedRuns['left'][number][] = [];
  const names: string[] = [];
  for (const id of new Set(ids)) {
    const header = await runs.find(id);
    if (!header) {
      left.push({ id, name: id, reason: gone.message });
      continue;
    }
    const { removedAt: _, ...known } = header;
    try {
      const stored = await runs.load(id);
      // A checkpoint that was fallen back to has a step of its own.
      const { step, savedAt } = stored?.header ?? known;
      await archive.add({ header: { ...known, step, savedAt }, content: stored?.content ?? null });
      names.push(known.name);
    } catch (error) {
      const reason = reasonOf(error, 'it cannot be read');
      left.push({ id, name: known.name, reason });
    }
  }
  if (names.length === 0)
    throw new ProblemError({
      code: 'no-run',
      message: left[0]?.reason ?? 'No run was chosen.',
      cure: 'Choose a run that was saved.',
    });
  const day = new Date().toISOString().slice(0, 10);
  const name = names.length === 1 ? fileName(names[0]!) : `rotune-runs-${day}`;
  return { name: `${name}.zip`, blob: await archive.close(), left };
}
