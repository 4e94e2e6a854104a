/** @file The browser's caches in memory: as much of them as the service worker uses. */

const addressOf = (request: RequestInfo | URL): string =>
  request instanceof Request ? request.url : String(request);
const bare = (address: string): string => address.replace(/[?#].*$/, '');

class MemoryCache {
  readonly #stored = new Map<string, Response>();

  #found(request: RequestInfo | URL | undefined, options: CacheQueryOptions = {}): string[] {
    const all = [...this.#stored.keys()];
    if (request === undefined) return all;
    const address = addressOf(request);
    return all.filter((key) => (options.ignoreSearch ? bare(key) === bare(address) : key === address));
  }

  async match(request: RequestInfo | URL, options?: CacheQueryOptions): Promise<Response | undefined> {
    const [key] = this.#found(request, options);
    return key === undefined ? undefined : this.#stored.get(key)?.clone();
  }
  async keys(request?: RequestInfo | URL, options?: CacheQueryOptions): Promise<Request[]> {
    return this.#found(request, options).map((key) => new Request(key));
  }
  async put(request: RequestInfo | URL, response: Response): Promise<void> {
    // As a browser does: nothing is there before all of it came.
    const { status, headers } = response;
    this.#stored.set(addressOf(request), new Response(await response.blob(), { status, headers }));
  }
  async delete(request: RequestInfo | URL): Promise<boolean> {
    return this.#stored.delete(addressOf(request));
  }
}

export class MemoryCaches {
  readonly #caches = new Map<string, MemoryCache>();

  async open(name: string): Promise<Cache> {
    const cache = this.#caches.get(name) ?? new MemoryCache();
    this.#caches.set(name, cache);
    return cache as unknown as Cache;
  }
  async keys(): Promise<string[]> {
    return [...this.#caches.keys()];
  }
  async delete(name: string): Promise<boolean> {
    return this.#caches.delete(name);
  }
}
