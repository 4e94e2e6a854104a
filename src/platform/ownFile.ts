/**
 * @file The one way in for files of our own origin: fetched, and held to what the build knows of them, whether they came from a cache or over the net. What
 * does not match is thrown away and fetched again past all caches, once.
 */
import { FetchError, fetchWhole, type FetchOptions } from './resumable.ts';
import { Reason } from './refusals.ts';
import { sha256OfBlob } from './sha256.ts';

/** Request header with the hashes that the answer may have, for the service worker, which stores what matches (workers/offline/store.ts). */
export const HASH = 'X-Rotune-SHA256';

/** What the build knows of a file. */
export interface OwnFile {
  /** Hexadecimal. */
  readonly sha256: string;
  /** Of what a host makes of it that unpacks it on the way. */
  readonly unpacked?: string | undefined;
}

/** What the build knows of files by their paths below the app's folder. */
export type OwnFileList = Readonly<Record<string, OwnFile>>;

/** The file came twice, and was not what the build knows either time. */
export class DamagedError extends Reason {
  constructor() {
    super('it came damaged, twice');
  }
}

export interface OwnFetchOptions extends Omit<FetchOptions, 'headers' | 'cache'> {
  /** Hears that the file was not what it should be, and is fetched anew. */
  readonly onDamaged?: (() => void) | undefined;
}

const hashesOf = ({ sha256, unpacked }: OwnFile): readonly string[] =>
  unpacked === undefined ? [sha256] : [sha256, unpacked];

/** Whether these are the bytes that have one of the hashes. */
export const matches = async (file: Blob, hashes: readonly string[]): Promise<boolean> =>
  hashes.includes(await sha256OfBlob(file));

/**
 * A whole file of our own origin, which is what the build made.
 * @param known null: nothing is known of it (while developing), and what comes is taken
 * @throws FetchError where it does not come; DamagedError where it is wrong even when asked past all caches; the signal's reason. The next call begins
 *   anew, or goes on with what came rightly.
 */
export async function fetchOwn(
  address: string,
  known: OwnFile | null,
  { onDamaged, ...options }: OwnFetchOptions = {},
): Promise<Blob> {
  if (!known) return fetchWhole(address, options);
  const hashes = hashesOf(known);
  const headers = { [HASH]: hashes.join() };
  const first = await fetchWhole(address, { ...options, headers });
  if (await matches(first, hashes)) return first;
  onDamaged?.();
  const second = await fetchWhole(address, { ...options, headers, cache: 'reload' });
  if (await matches(second, hashes)) return second;
  throw new DamagedError();
}

/** What to say of a file that did not come, and what to press. @param what begins the sentence */
export function fetchFailure(what: string, cause: unknown): string {
  if (cause instanceof DamagedError)
    return `${what} came damaged, and again when it was fetched anew. Nothing of it is kept. Try again; if it happens again, reload the page: a newer Rotune may be there.`;
  if (cause instanceof FetchError && (cause.status === 404 || cause.status === 410))
    return `${what} is not on the server (it said ${cause.status}): a newer Rotune may have taken its place. Reload the page.`;
  if (cause instanceof FetchError && cause.status > 0)
    return `${what} could not be fetched: the server said ${cause.status}. Try again; if it happens again, wait a few minutes.`;
  if (!(cause instanceof FetchError))
    return `${what} could not be read: it came damaged. Try again; if it happens again, reload the page.`;
  const offline = 'navigator' in globalThis && !globalThis.navigator.onLine;
  return offline
    ? `${what} could not be fetched: there is no connection. Try again when online; what came already is kept.`
    : `${what} could not be fetched: there is no connection, or it keeps breaking off. Try again; what came already is kept.`;
}
