/** @file What the service worker keeps of the app's files: the shell from its first visit on, large ones from their first use (workers/service-worker.ts). */

/** Paths below the app. @param base address of its folder */
export async function storedPaths(base: URL): Promise<readonly string[]> {
  try {
    const stores = await Promise.all(
      (await caches.keys()).map(async (name) => (await caches.open(name)).keys()),
    );
    return stores.flat().map(({ url }) => new URL(url).pathname.slice(base.pathname.length));
  } catch {
    // Plain http, private windows: nothing is kept.
    return [];
  }
}

/** Bytes of them; null: the browser does not say. */
export async function storedBytes(): Promise<number | null> {
  try {
    let bytes = 0;
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const response = await cache.match(request);
        // Responses of ours say their length; else what is stored on the disk is looked at, not read.
        const said = Number(response?.headers.get('content-length') ?? Number.NaN);
        bytes += Number.isFinite(said) ? said : ((await response?.blob())?.size ?? 0);
      }
    }
    return bytes;
  } catch {
    return null;
  }
}
