/** @file Given files are kept as long as a run or a draft is there that began with them. */
import { GivenStore } from '#src/store/given.ts';
import { isLivingDraft } from '../data/keptDraft.ts';
import { openSavedRuns } from './firstLook.ts';

/**
 * Forgets files that were given to runs which are gone for good. For a page's start: later on, a run may have its files before it is
 * listed. Never throws.
 */
export async function tidyGiven(): Promise<void> {
  try {
    const given = new GivenStore();
    const drafts = (await given.ids()).filter((id) => isLivingDraft(id, Date.now()));
    await given.tidy([...(await openSavedRuns().ids()), ...drafts]);
  } catch {
    // No storage: nothing is in it.
  }
}
