/** @file Whether this realm can run WebAssembly on several threads, and if not, why. */

/** As many help: more made steps slower on the machines that were measured. */
const MOST = 4;

/** A module that uses atomics on shared memory. */
const ATOMICS = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1],
  ...[10, 11, 1, 9, 0, 65, 0, 254, 16, 2, 0, 26, 11],
);

/** What is asked of the realm. */
export interface ThreadRealm {
  readonly isSecureContext?: boolean;
  readonly crossOriginIsolated?: boolean;
  readonly SharedArrayBuffer?: SharedArrayBufferConstructor;
  readonly navigator?: { readonly hardwareConcurrency?: number; readonly userAgent?: string };
}

export interface Threads {
  readonly count: number;
  /** Why it is only one, as the end of a sentence; null: it is more, or there is one core. */
  readonly because: string | null;
}

/** Shared memory can be made, sent and computed on. */
function shares({ SharedArrayBuffer: Shared }: ThreadRealm): boolean {
  if (!Shared) return false;
  try {
    const { port1 } = new MessageChannel();
    port1.postMessage(new Shared(1));
    port1.close();
    return WebAssembly.validate(ATOMICS);
  } catch {
    return false;
  }
}

/**
 * Cores that can be counted on. WebKit says 4 of every machine with up to four, so as not to tell them apart; four threads on two cores wait for one another longer
 * than they compute.
 */
function cores({ hardwareConcurrency = 1, userAgent = '' }: NonNullable<ThreadRealm['navigator']>): number {
  const webKit = userAgent.includes('AppleWebKit') && !/Chrom(e|ium)/.test(userAgent);
  return webKit && hardwareConcurrency <= 4 ? Math.min(2, hardwareConcurrency) : hardwareConcurrency;
}

/** How many of them to take: as many as were asked for, where there can be several at all. @param asked null: as many as help */
export const takenThreads = (asked: number | null, { count, because }: Threads): number =>
  because === null ? (asked ?? count) : count;

/** Up to four where memory can be shared, else one. */
export function threadsOf(realm: ThreadRealm = globalThis): Threads {
  if (realm.isSecureContext === false)
    return {
      count: 1,
      because:
        'browsers give a page over plain http no more: open it by https, or on this machine as localhost',
    };
  // Outside of browsers there are no pages to isolate.
  if (realm.crossOriginIsolated === undefined) return { count: 1, because: null };
  if (!realm.crossOriginIsolated)
    return {
      count: 1,
      because:
        'the page is not isolated: its host sends no headers for it, and its service worker is not in charge',
    };
  if (!shares(realm)) return { count: 1, because: 'this browser lets threads share no memory' };
  return { count: Math.max(1, Math.min(MOST, cores(realm.navigator ?? {}))), because: null };
}
