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
