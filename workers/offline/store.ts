/**
 * @file All files of the app as the service worker keeps them, each under its path and SHA-256: nothing is stored or handed out that is not what the build made.
 * Files of earlier builds stay for as long as a page may ask for them.
 */
import * as v from 'valibot';
import { DamagedError, fetchOwn, HASH, matches, type OwnFetchOptions } from '#src/platform/ownFile.ts';
import { FetchError, KEEP } from '#src/platform/resumable.ts';
import { guarded, ranged, whole } from './answers.ts';
import { type BuildFile, isLarge, pathOf } from './files.ts';

/** Files that are fetched side by side at install. */
const BESIDE = 6;

/** What only earlier builds need, and the pages that may be theirs. */
const Leaving = v.object({ clients: v.array(v.string()), keys: v.array(v.string()) });

export interface StoreHost {
  /** Address of the app's folder. */
  readonly scope: string;
  readonly caches: CacheStorage;
  readonly fetch: typeof fetch;
  /** Ids of all pages and workers of this origin that live. */
  readonly clients: () => Promise<readonly string[]>;
  /** For tests. */
  readonly patience?: Pick<OwnFetchOptions, 'wait' | 'silence'>;
}

export class OfflineStore {
  readonly #host: StoreHost;
  readonly #files: ReadonlyMap<string, BuildFile>;

  constructor(host: StoreHost, files: readonly BuildFile[]) {
    this.#host = host;
    this.#files = new Map(files.map((file) => [file.url, file]));
  }

  /** Stores the shell: what is there already, of an earlier build too, is not fetched again. Throws where a file does not come whole. */
  async install(): Promise<void> {
    const cache = await this.#cache();
    const there = new Set((await cache.keys()).map(({ url }) => url));
    const missing = [...this.#files.values()].filter(
      ({ url, sha256 }) => !isLarge(url) && !there.has(this.#key(url, sha256)),
    );
    const next = async (): Promise<void> => {
      for (let file = missing.pop(); file; file = missing.pop()) await this.#fetched(file);
    };
    await Promise.all(Array.from({ length: BESIDE }, next));
  }

  /** Pages that live now may still ask for files of earlier builds: those stay until they have gone. */
  async activate(): Promise<void> {
    const cache = await this.#cache();
    const current = new Set([...this.#files.values()].map(({ url, sha256 }) => this.#key(url, sha256)));
    const keys = (await cache.keys()).map(({ url }) => url).filter((url) => !current.has(url));
    const leaving: v.InferOutput<typeof Leaving> = { clients: [...(await this.#host.clients())], keys };
    await cache.put(this.#leaving, Response.json(leaving));
    await this.tidy();
    // What an earlier build took for its own rest is fetched again; without a network, when it is asked for.
    await this.install().catch(() => undefined);
  }

  /** Removes what only earlier builds need, if no page of theirs is left. */
  async tidy(): Promise<void> {
    const cache = await this.#cache();
    const stored = await cache.match(this.#leaving);
    if (!stored) return;
    const record = v.safeParse(Leaving, await stored.json().catch(() => null));
    const { clients, keys } = record.success ? record.output : { clients: [], keys: [] };
    const alive = new Set(await this.#host.clients());
    if (clients.some((id) => alive.has(id))) return;
    for (const key of [...keys, this.#leaving]) await cache.delete(key);
    for (const name of await this.#host.caches.keys())
      if (this.#isFormer(name)) await this.#host.caches.delete(name);
  }

  /**
   * The answer to a request for a file of this or an earlier build; null: it is for none.
   * @param later is given what goes on after the answer
   */
  async answer(request: Request, later: (work: Promise<unknown>) => void): Promise<Response | null> {
    const path = pathOf(request.url, this.#host.scope);
    if (path === null) return null;
    const file = this.#files.get(path);
    const named = request.headers.get(HASH)?.split(',') ?? null;
    const hashes = named ?? (file && [file.sha256]);
    if (!hashes) return this.#former(path);
    const key = this.#key(path, hashes[0]!);
    const cache = await this.#cache();
    const stored = request.cache === 'reload' ? undefined : await cache.match(key);
    // Who names a hash looks at it.
    if (stored && named) return guarded(request.url, await ranged(stored, request.headers.get('range')));
    if (named) return this.#passedOn(request, key, named, later);
    return this.#checked({ url: path, sha256: hashes[0]! }, stored, request);
  }

  /** Stores a file that came in pieces, which the page has put together. */
  async keep(request: Request): Promise<Response | null> {
    const path = pathOf(request.url, this.#host.scope);
    const known = path === null ? undefined : this.#files.get(path);
    if (path === null || !known) return null;
    const hashes = request.headers.get(HASH)?.split(',') ?? [known.sha256];
    const file = await request.blob();
    if (!(await matches(file, hashes))) return new Response(null, { status: 422 });
    await (await this.#cache()).put(this.#key(path, hashes[0]!), whole(file));
    return new Response(null, { status: 201 });
  }

  /** A file for the browser itself (a script, a style, a picture), which nobody else would look at. */
  async #checked(file: BuildFile, stored: Response | undefined, request: Request): Promise<Response> {
    const cache = await this.#cache();
    if (stored) {
      const kept = await stored.blob().catch(() => null);
      if (kept && (await matches(kept, [file.sha256]))) return guarded(request.url, whole(kept));
      await cache.delete(this.#key(file.url, file.sha256));
    }
    try {
      return guarded(request.url, whole(await this.#fetched(file)));
    } catch (cause) {
      // Another build lies on the host by now: its first page leads to its own files.
      if (cause instanceof DamagedError && request.mode === 'navigate')
        return guarded(request.url, await this.#host.fetch(request));
      const status = cause instanceof FetchError ? cause.status : 502;
      return status > 0 ? guarded(request.url, new Response(null, { status })) : Response.error();
    }
  }

  /** Fetched, found to be right, and stored. */
  async #fetched({ url, sha256 }: BuildFile): Promise<Blob> {
    const { scope, fetch, patience } = this.#host;
    const address = new URL(url.split('/').map(encodeURIComponent).join('/'), scope).href;
    const file = await fetchOwn(address, { sha256 }, { fetch, ...patience });
    const cache = await this.#cache();
    await cache.put(this.#key(url, sha256), whole(file)).catch(() => undefined);
    return file;
  }

  /** From the host as it comes; what came whole and right is stored then. */
  async #passedOn(
    request: Request,
    key: string,
    hashes: readonly string[],
    later: (work: Promise<unknown>) => void,
  ): Promise<Response> {
    const fresh = await this.#host.fetch(request);
    // The rest of a broken download comes back whole by `keep`.
    if (fresh.status === 206) return guarded(request.url, fresh, { [KEEP]: '1' });
    if (fresh.status !== 200) return guarded(request.url, fresh);
    const copy = fresh.clone();
    const store = async (): Promise<void> => {
      const file = await copy.blob();
      if (await matches(file, hashes)) await (await this.#cache()).put(key, whole(file));
    };
    later(store().catch(() => undefined));
    return guarded(request.url, fresh);
  }

  /** What an earlier build had there, for its pages that live. */
  async #former(path: string): Promise<Response | null> {
    const address = new URL(path, this.#host.scope).href;
    for (const name of await this.#host.caches.keys()) {
      if (name !== this.#name && !this.#isFormer(name)) continue;
      const cache = await this.#host.caches.open(name);
      for (const key of await cache.keys(address, { ignoreSearch: true })) {
        const file = await (await cache.match(key))?.blob().catch(() => null);
        const hash = new URL(key.url).searchParams.get('sha256');
        if (file && (hash === null || (await matches(file, [hash])))) return guarded(address, whole(file));
      }
    }
    return null;
  }

  get #name(): string {
    return `rotune ${this.#host.scope}`;
  }
  /** Where the ids of pages of earlier builds stand; no file of ours has such a name. */
  get #leaving(): string {
    return new URL('?leaving', this.#host.scope).href;
  }

  #cache(): Promise<Cache> {
    return this.#host.caches.open(this.#name);
  }

  #key(path: string, sha256: string): string {
    const key = new URL(path.split('/').map(encodeURIComponent).join('/'), this.#host.scope);
    key.searchParams.set('sha256', sha256);
    return key.href;
  }

  /** What Rotune stored by other rules before. */
  #isFormer(name: string): boolean {
    return name === 'rotune-files' || name === `workbox-precache-v2-${this.#host.scope}`;
  }
}
