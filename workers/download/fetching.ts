/** @file Bytes from a server: what it says of a file, and the file itself, gone on with where the last try broke off. */
import { contentRange } from '#src/platform/contentRange.ts';
import { createSHA256 } from 'hash-wasm';
import type { Appender, StoredFile } from '#src/store/downloads.ts';
import { DataError } from '#src/tasks/files.ts';
import { Cancelled } from '../trainer/problems.ts';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What a server says of a file. */
export interface Remote {
  /** null: it does not say. */
  readonly bytes: number | null;
  readonly etag: string | null;
  readonly modified: string | null;
}

/** Nothing of the user's goes along: no cookies, no referrer. Gigabytes do not belong into the HTTP cache as well. */
const INIT: RequestInit = {
  mode: 'cors',
  credentials: 'omit',
  referrerPolicy: 'no-referrer',
  cache: 'no-store',
};

const hostOf = (url: string): string => new URL(url).host;
const fileOf = (url: string): string => decodeURI(new URL(url).pathname.split('/').at(-1) ?? '') || url;

/** A browser does not say whether there is no connection or the server forbids other pages to read. */
class Unreachable extends DataError {
  constructor(url: string) {
    super(
      `${hostOf(url)} did not give ${fileOf(url)}: there is no connection, or that server lets no other page read its files. Download the file with the browser and open it from disk.`,
    );
  }
}

function refused(url: string, status: number): DataError {
  const what = `${hostOf(url)} did not give ${fileOf(url)}`;
  if (status === 404 || status === 410)
    return new DataError(`${what}: there is no such file (${status}). Check the address.`);
  if (status === 401 || status === 403)
    return new DataError(
      `${what}: it is not open to everyone (${status}). Download it with the browser, where you are signed in, and open it from disk.`,
    );
  if (status === 429)
    return new DataError(`${what}: it was asked too often (429). Wait a minute and try again.`);
  return new DataError(`${what}: the server answered ${status}. Try again later.`);
}

async function ask(fetcher: Fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetcher(url, { ...INIT, ...init });
  } catch {
    if (init.signal?.aborted) throw new Cancelled('The download was cancelled.');
    throw new Unreachable(url);
  }
}

const numeral = (text: string | null | undefined): number | null =>
  text && /^\d{1,15}$/.test(text) ? Number(text) : null;

const described = (response: Response, bytes: number | null): Remote => ({
  bytes,
  etag: response.headers.get('etag'),
  modified: response.headers.get('last-modified'),
});

const isPage = (response: Response): boolean =>
  /^text\/html\b/i.test(response.headers.get('content-type') ?? '');

/**
 * Asks for one byte: unlike HEAD it is allowed by signed addresses, and its answer is never compressed.
 * @returns null where there is no such file
 */
export async function probe(fetcher: Fetch, url: string, signal?: AbortSignal): Promise<Remote | null> {
  const response = await ask(fetcher, url, { headers: { Range: 'bytes=0-0' }, signal });
  await response.body?.cancel();
  const { status } = response;
  if (status === 404 || status === 410) return null;
  // A file of no bytes has no byte 0.
  if (status === 416) return described(response, 0);
  if (!response.ok) throw refused(url, status);
  if (isPage(response))
    throw new DataError(
      `${url} shows a web page, not a file. Copy the address of the download link, which ends in .onnx or .zip.`,
    );
  const total =
    status === 206
      ? (contentRange(response)?.total ?? null)
      : response.headers.has('content-encoding')
        ? null
        : numeral(response.headers.get('content-length'));
  if (total !== null || status !== 206) return described(response, total);
  const head = await ask(fetcher, url, { method: 'HEAD', signal }).catch(() => null);
  const length = head?.ok ? numeral(head.headers.get('content-length')) : null;
  return described(response, head?.headers.has('content-encoding') ? null : length);
}

/** A small text, like a list of files. */
export async function fetchText(
  fetcher: Fetch,
  url: string,
  signal?: AbortSignal,
): Promise<{ readonly text: string; readonly next: string | null } | null> {
  const response = await ask(fetcher, url, { signal });
  if (response.status === 404) return null;
  if (!response.ok) throw refused(url, response.status);
  const next = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('link') ?? '')?.[1] ?? null;
  return isPage(response) ? null : { text: await response.text(), next };
}

export interface Getting {
  readonly signal: AbortSignal;
  /** Bytes that came, or that were found on the disk, since the last call. */
  readonly onBytes: (bytes: number) => void;
  /** What lies on the disk already. */
  readonly stored: () => Promise<Blob | null>;
  /** Waits between tries, milliseconds. */
  readonly pause?: (ms: number) => Promise<void>;
}

/** So many tries in a row may bring less than PROGRESS bytes. */
const TRIES = 5;
const PROGRESS = 2 ** 20;
/** Pieces in which a file that is there already is read for its digest. */
const PIECE = 2 ** 24;

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Whether what the server gives now is the version that the bytes on the disk are of. Unknown marks tell nothing. */
const sameVersion = (file: StoredFile, now: Remote): boolean =>
  (file.bytes === null || now.bytes === null || file.bytes === now.bytes) &&
  (file.etag === null || now.etag === null || file.etag === now.etag) &&
  (file.modified === null || now.modified === null || file.modified === now.modified);

/**
 * Fetches a file, or the rest of it. A rest is only joined to a beginning of the same version (size, ETag, Last-Modified as far as the server shows
 * them): else it begins anew.
 * @returns the file with its size and SHA-256
 * @throws Cancelled, StoreError, or DataError when the connection broke off for good. What came is kept.
 */
export async function getFile(
  fetcher: Fetch,
  file: StoredFile,
  out: Appender,
  { signal, onBytes, stored, pause = sleep }: Getting,
): Promise<StoredFile> {
  const hasher = await createSHA256();
  let known = file;
  const anew = (): void => {
    onBytes(-out.size);
    out.clear();
    hasher.init();
  };
  if (known.bytes !== null && out.size > known.bytes) out.clear();
  const there = out.size > 0 ? await stored() : null;
  for (let at = 0; there && at < out.size; at += PIECE) {
    if (signal.aborted) throw new Cancelled('The download was cancelled.');
    const piece = new Uint8Array(await there.slice(at, Math.min(at + PIECE, out.size)).arrayBuffer());
    hasher.update(piece);
    onBytes(piece.byteLength);
  }

  for (let tries = 0; known.bytes === null || out.size < known.bytes;) {
    const start = out.size;
    let ended: boolean;
    try {
      // Asked for by range even from the start, an answer is never compressed.
      const response = await ask(fetcher, known.url, { headers: { Range: `bytes=${start}-` }, signal });
      if (response.status === 416 && start > 0) {
        // The file may be whole: without a size nobody knew. Else it is shorter now.
        await response.body?.cancel();
        const now = await probe(fetcher, known.url, signal);
        if (now?.bytes === start && sameVersion(known, now)) {
          known = { ...known, ...now };
          break;
        }
        anew();
        known = {
          ...known,
          bytes: now?.bytes ?? null,
          etag: now?.etag ?? null,
          modified: now?.modified ?? null,
        };
        if (++tries >= TRIES) throw refused(known.url, 416);
        continue;
      }
      if (!response.ok) {
        await response.body?.cancel();
        throw refused(known.url, response.status);
      }
      if (isPage(response))
        throw new DataError(
          `${known.url} shows a web page now, not a file. Look at the address again, and copy that of the file.`,
        );
      const now = versionOf(response, start);
      const joins =
        response.status === 206 ? (contentRange(response)?.start ?? start) === start : start === 0;
      if (start > 0 && (!joins || !sameVersion(known, now))) {
        anew();
        if (response.status === 206) {
          // What comes is the end of something else.
          await response.body?.cancel();
          known = { ...known, bytes: null, etag: null, modified: null };
          continue;
        }
      }
      known = { ...known, bytes: now.bytes ?? known.bytes, etag: now.etag, modified: now.modified };
      ended = await pour(response, out, (bytes) => {
        hasher.update(bytes);
        onBytes(bytes.byteLength);
      });
      if (signal.aborted) throw new Cancelled('The download was cancelled.');
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      ended = false;
    }
    if (ended && known.bytes === null) known = { ...known, bytes: out.size };
    if (known.bytes !== null && out.size >= known.bytes) break;
    tries = out.size - start >= PROGRESS ? 0 : tries + 1;
    if (tries >= TRIES) throw brokeOff(known, out.size);
    await pause(250 * 2 ** tries);
    if (signal.aborted) throw new Cancelled('The download was cancelled.');
  }
  if (known.bytes !== null && out.size > known.bytes) {
    out.clear();
    throw new DataError(
      `${hostOf(known.url)} gave more bytes of ${known.path} than it said (${known.bytes}). Try again.`,
    );
  }
  return { ...known, bytes: out.size, sha256: hasher.digest('hex') };
}

function versionOf(response: Response, start: number): Remote {
  const rest = response.headers.has('content-encoding')
    ? null
    : numeral(response.headers.get('content-length'));
  if (response.status !== 206) return described(response, rest);
  return described(response, contentRange(response)?.total ?? (rest === null ? null : start + rest));
}

const brokeOff = ({ url, path, bytes }: StoredFile, came: number): DataError =>
  new DataError(
    `The connection to ${hostOf(url)} broke off after ${came}${bytes === null ? '' : ` of ${bytes}`} bytes of ${path}. What came is kept. Download it again: it goes on from there.`,
  );

/** @returns whether the answer came to its end; false: the connection broke off */
async function pour(
  response: Response,
  out: Appender,
  onPart: (bytes: Uint8Array) => void,
): Promise<boolean> {
  const reader = response.body?.getReader();
  if (!reader) return true;
  for (;;) {
    let part: Awaited<ReturnType<typeof reader.read>>;
    try {
      part = await reader.read();
    } catch {
      return false;
    }
    if (part.done) return true;
    try {
      out.append(part.value);
    } catch (error) {
      await reader.cancel().catch(() => undefined);
      throw error;
    }
    onPart(part.value);
  }
}
