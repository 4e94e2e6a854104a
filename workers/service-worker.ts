/** @file Offline use, and the headers of policy.mjs on hosts that send none: isolation, and what page and workers may do. The shell is stored at install; models, data and wasm at first use (offline/store.ts). */
/// <reference lib="webworker" />
import { guarded } from './offline/answers.ts';
import { filesOf } from './offline/files.ts';
import { OfflineStore } from './offline/store.ts';

declare const self: ServiceWorkerGlobalScope & {
  /** Every file of this build; put in by the build. */
  readonly __WB_MANIFEST: readonly (string | { readonly url: string; readonly revision: string | null })[];
};

const store = new OfflineStore(
  {
    scope: self.registration.scope,
    caches,
    fetch: (request, init) => fetch(request, init),
    clients: async () =>
      (await self.clients.matchAll({ includeUncontrolled: true, type: 'all' })).map(({ id }) => id),
  },
  filesOf(self.__WB_MANIFEST),
);

/** Whatever else comes from our own origin still needs the headers (a page past the stored shell, a worker's script). */
async function answer(request: Request, later: (work: Promise<unknown>) => void): Promise<Response> {
  const own = await (request.method === 'PUT' ? store.keep(request) : store.answer(request, later));
  if (own) return own;
  const fresh = await fetch(request);
  return request.mode === 'navigate' || request.destination === 'worker'
    ? guarded(request.url, fresh)
    : fresh;
}

self.addEventListener('install', (event) => event.waitUntil(store.install()));

self.addEventListener('activate', (event) => {
  event.waitUntil(store.activate().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (!request.url.startsWith(self.registration.scope) || !/^(GET|PUT)$/.test(request.method)) return;
  const later = (work: Promise<unknown>): void => event.waitUntil(work);
  event.respondWith(answer(request, later));
  // A page of an earlier build may have gone.
  if (request.mode === 'navigate') later(store.tidy());
});

// The page asks for the switch: a waiting version never takes over by itself, least of all during a run.
self.addEventListener('message', (event) => {
  if (event.data === 'skip-waiting') void self.skipWaiting();
});
