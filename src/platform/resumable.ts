/**
 * @file Files of our own origin over connections that break: what came is kept, the rest is asked for by range, a silent line is given up and tried again.
 * What was begun stays begun over a cancel and a second try.
 */

import { Reason, reasonOf } from '#src/platform/refusals.ts';
import { contentRange } from './contentRange.ts';
import { within } from './within.ts';

/** Header by which the service worker says that it keeps what is PUT to it (workers/service-worker.ts). */
export const KEEP = 'X-Rotune-Keep';

/** Without a byte for so long, a connection is given up, in milliseconds. */
const SILENCE = 30_000;
/** Waits before each further try without a new byte, in milliseconds. */
const WAITS = [500, 1000, 2000, 4000, 8000];

/** Further tries where not one byte came yet: there may be no connection at all. */
const FIRST_TRIES = 2;

interface Begun {
  parts: Uint8Array<ArrayBuffer>[];
  length: number;
  /** Names the content: a rest is joined only to a beginning of the same. */
  tag: string | null;
  /** Of the whole file; 0: not known. */
  size: number;
  type: string | null;
  /** The service worker passed on a rest, and would keep the whole for offline use. */
  keep: boolean;
}

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Go along with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** 'reload': past all caches, the service worker's too; nothing of what came before is used. */
  readonly cache?: 'default' | 'reload';
  /** Hears how many bytes of the file are here, and how many it has (0: not known yet). */
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
  /** For tests. */
  readonly fetch?: typeof fetch | undefined;
  readonly wait?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
  readonly silence?: number | undefined;
}

/** The file does not come, and a further try does not help now. */
export class FetchError extends Reason {
  /** The host's answer; 0: there was none. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const begun = new Map<string, Begun>();

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });

/** What comes of the connection, or an error where nothing does for so many milliseconds. */
const heard = <T>(ms: number, work: Promise<T>): Promise<T> =>
  within(ms, work, () => {
    throw new Error(`nothing came for ${ms / 1000} s`);
  });

const tagOf = (response: Response): string | null =>
  response.headers.get('etag') ?? response.headers.get('last-modified');

/** One request: adds to what is there. Returns whether the file is whole. */
async function attempt(
  address: string,
  state: Begun,
  options: FetchOptions & { readonly fetch: typeof fetch; readonly silence: number },
): Promise<boolean> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', stop);
  try {
    const asked = state.length;
    const headers = { ...options.headers, ...(asked > 0 && { Range: `bytes=${asked}-` }) };
    const { cache = 'default' } = options;
    const response = await heard(
      options.silence,
      options.fetch(address, { headers, cache, signal: stopping.signal }),
    );
    const range = response.status === 206 ? contentRange(response) : null;
    const joins =
      range?.start === asked &&
      range.total !== null &&
      tagOf(response) === state.tag &&
      (state.size === 0 || state.size === range.total);
    if (response.status === 416 || (response.status === 206 && !joins)) {
      Object.assign(state, { parts: [], length: 0, tag: null, size: 0 });
      return false;
    }
    if (!response.ok)
      throw new FetchError(
        response.status,
        `the host answers ${response.status} ${response.statusText}`.trim(),
      );
    state.keep ||= response.status === 206 && response.headers.has(KEEP);
    if (response.status !== 206)
      Object.assign(state, {
        ...{ parts: [], length: 0, tag: tagOf(response), size: 0 },
        type: response.headers.get('content-type'),
      });
    // A compressed answer's length is not that of its content.
    const encoded = response.headers.get('content-encoding') !== null;
    const total = range?.total ?? (encoded ? 0 : Number(response.headers.get('content-length') ?? 0));
    state.size = total;
    const take = (part: Uint8Array<ArrayBuffer>): void => {
      state.parts.push(part);
      state.length += part.byteLength;
      options.onBytes?.(state.length, total);
      options.signal?.throwIfAborted();
    };
    const reader = response.body?.getReader();
    if (!reader) take(new Uint8Array(await heard(options.silence, response.arrayBuffer())));
    else
      for (;;) {
        const next = await heard(options.silence, reader.read());
        if (next.done) break;
        take(next.value);
      }
    return total === 0 || state.length >= total;
  } finally {
    options.signal?.removeEventListener('abort', stop);
    stopping.abort();
  }
}

/**
 * A whole file. Broken connections are taken up where they broke, with growing waits; each new byte makes the patience new.
 * @throws FetchError where the host refuses, or nothing comes any more; the signal's reason where it was cancelled. The next call goes on from
 *   what came.
 */
export async function fetchWhole(address: string, options: FetchOptions = {}): Promise<Blob> {
  if (options.cache === 'reload') begun.delete(address);
  const state = begun.get(address) ?? { parts: [], length: 0, tag: null, size: 0, type: null, keep: false };
  begun.set(address, state);
  const given = {
    ...options,
    fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
    silence: options.silence ?? SILENCE,
  };
  const wait = options.wait ?? pause;
  for (let tries = 0; ;) {
    const before = state.length;
    try {
      options.signal?.throwIfAborted();
      if (await attempt(address, state, given)) {
        begun.delete(address);
        const whole = new Blob(state.parts, state.type === null ? {} : { type: state.type });
        const { headers = {} } = options;
        if (state.keep)
          void given.fetch(address, { method: 'PUT', headers, body: whole }).catch(() => undefined);
        return whole;
      }
    } catch (cause) {
      options.signal?.throwIfAborted();
      if (cause instanceof FetchError && cause.status < 500) throw cause;
      if (state.length <= before && tries >= (state.length > 0 ? WAITS.length : FIRST_TRIES)) {
        const why = reasonOf(cause, 'there is no connection');
        throw cause instanceof FetchError ? cause : new FetchError(0, why);
      }
    }
    tries = state.length > before ? 0 : tries + 1;
    if (tries > WAITS.length) throw new FetchError(0, 'the connection keeps breaking off');
    await wait(WAITS[Math.max(0, tries - 1)]!, options.signal);
  }
}
