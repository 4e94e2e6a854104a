/** @file A run belongs to the tab in which it trains, which holds a lock of its id as long as it does: no other may change what is saved of it. */
import { PlainError } from '#src/platform/refusals.ts';
import { type Release, takeLock } from '#src/platform/locks.ts';

/** The run trains elsewhere. */
export class RunElsewhere extends PlainError {
  override readonly name = 'RunElsewhere';

  constructor() {
    super('This run is training in another tab, and goes on there undisturbed.', {
      cure: 'Pause or stop it there first.',
    });
  }
}

/** A worker that was just ended gives its run back within this, milliseconds. */
const MOMENTS = 5000;

/** So long others that change it, or look whether it is held, have it at most, milliseconds. */
const INSTANT = 500;

const lockOf = (id: string): string => `rotune-run-${id}`;

/** Keeps others from changing a run until it is given back. Throws RunElsewhere. */
export async function holdRun(id: string): Promise<Release> {
  const release = await takeLock(lockOf(id), MOMENTS);
  if (!release) throw new RunElsewhere();
  return release;
}

/** Changes what is saved of a run that trains nowhere else. Throws RunElsewhere. */
export async function whileStill<T>(id: string, work: () => Promise<T>): Promise<T> {
  const release = await takeLock(lockOf(id), INSTANT);
  if (!release) throw new RunElsewhere();
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Whether a run trains, here or elsewhere. */
export async function isHeld(id: string): Promise<boolean> {
  const release = await takeLock(lockOf(id));
  await release?.();
  return release === null;
}
