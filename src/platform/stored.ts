/** @file What the service worker keeps of the app's large files (workers/service-worker.ts). */

/** Paths below the app. @param base address of its folder */
export async function storedPaths(base: URL): Promise<readonly string[]> {
  try {
    const store = await caches.open('rotune-files');
    return (await store.keys()).map(({ url }) => new URL(url).pathname.slice(base.pathname.length));
  } catch {
    // Plain http, private windows: nothing is kept.
    return [];
  }
}
