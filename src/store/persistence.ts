/** @file Whether the browser promises to keep what is stored, and how much room there is. */

/** What a browser may offer; old ones and insecure pages offer less. */
interface Persistence {
  persisted?(): Promise<boolean>;
  persist?(): Promise<boolean>;
}

/**
 * Asks the browser not to evict this site's data. Browsers offer this to pages only, not to workers: call it from the page at a
 * run's first checkpoint. true: it will be kept; false: it may be evicted when the disk is full; null: the browser cannot say.
 */
export async function askToPersist(): Promise<boolean | null> {
  try {
    const storage = navigator.storage as Persistence | undefined;
    const kept = (await storage?.persisted?.()) ?? null;
    return kept === true || !storage?.persist ? kept : await storage.persist();
  } catch {
    return null;
  }
}

export interface Room {
  /** Bytes that this site takes. */
  readonly used: number;
  /** Bytes that it may take in all. */
  readonly quota: number;
}

/** How much this site stores and may store; null where the browser does not say. */
export async function room(): Promise<Room | null> {
  try {
    const { usage, quota } = await navigator.storage.estimate();
    return usage === undefined || quota === undefined ? null : { used: usage, quota };
  } catch {
    return null;
  }
}

/** Whether the browser promises to keep what is stored; nothing is asked for. null: it cannot say. */
export async function isPersisted(): Promise<boolean | null> {
  try {
    const storage = navigator.storage as Persistence | undefined;
    return (await storage?.persisted?.()) ?? null;
  } catch {
    return null;
  }
}
