/** @file What can go wrong with the browser's storage, in words for people. */
import { PlainError } from '#src/platform/refusals.ts';

/**
 * full: no room left. unavailable: the browser gives no storage (private window, blocked). failed: it has storage, which did not do what was asked. damaged:
 * nothing that can be read.
 */
export type StoreFailure = 'full' | 'unavailable' | 'failed' | 'damaged';

/** The browser's storage did not take or give the data. What was stored before is untouched. */
export class StoreError extends PlainError {
  override readonly name = 'StoreError';
  readonly failure: StoreFailure;
  /** What to do about it. */
  declare readonly cure: string;

  constructor(failure: StoreFailure, message: string, cure: string, options?: ErrorOptions) {
    super(message, { ...options, cure });
    this.failure = failure;
  }
}

/** For what lists: where the browser gives no storage, nothing is in it. All other trouble is thrown on. */
export function noneWithout(cause: unknown): readonly never[] {
  if (cause instanceof StoreError && cause.failure === 'unavailable') return [];
  throw cause;
}

/** Names of errors that say: this page may keep nothing. The last two come of an `indexedDB` that is not there. */
const REFUSALS = new Set([
  ...['SecurityError', 'InvalidStateError', 'NotSupportedError', 'NotAllowedError'],
  ...['ReferenceError', 'TypeError'],
]);

const MEBI = 2 ** 20;

/** Bytes for people: "1 KB", "0.7 MB", "130 MB". */
export function megabytes(bytes: number): string {
  const mb = bytes / MEBI;
  if (mb < 0.1) return `${Math.max(1, Math.ceil(bytes / 1024))} KB`;
  return `${mb < 10 ? mb.toFixed(1) : Math.round(mb)} MB`;
}

/**
 * A failed IndexedDB request in terms of StoreError.
 * @param wanted bytes that were to be written, if any
 * @param others bytes that other saved runs take, which could be freed
 */
export function storeError(error: unknown, wanted = 0, others = 0): StoreError {
  if (error instanceof StoreError) return error;
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (name === 'QuotaExceededError')
    return new StoreError(
      'full',
      `There is no room to save ${megabytes(wanted)}: this browser's storage is full.`,
      others > 0
        ? `Discard older runs (they take ${megabytes(others)}), or free space on the disk.`
        : 'Free space on the disk, or clear the data of other sites in the browser.',
      { cause: error },
    );
  if (name === 'AbortError')
    return new StoreError(
      'failed',
      'The browser broke off what was to be stored or read.',
      'Try again; if it happens again, free space on the disk.',
      { cause: error },
    );
  if (!REFUSALS.has(name))
    return new StoreError(
      'failed',
      `The browser’s own database does not do what it is asked (${name || 'no reason given'}).`,
      'Reload the page; if it happens again, restart the browser, or free space on the disk.',
      { cause: error },
    );
  return new StoreError(
    'unavailable',
    'This browser does not let the page store anything here.',
    'Use a normal window instead of a private one, and allow this site to store data.',
    { cause: error },
  );
}
