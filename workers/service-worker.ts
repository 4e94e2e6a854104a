/** @file Offline use, and the headers of policy.mjs on hosts that send none: isolation, and what page and workers may do. The shell is stored at install; models, data and wasm at first use. */
/// <reference lib="webworker" />
import { addPlugins, cleanupOutdatedCaches, precacheAndRoute } from 'workbox-precaching';
import { registerRoute } from 'workbox-routing';
import { KEEP } from '#src/platform/resumable.ts';
import { headersFor } from '../scripts/policy.mjs';

declare const self: ServiceWorkerGlobalScope;

const FILES = 'rotune-files';

/** What a run needs but the first screen does not: big, so never fetched before it is asked for. */
function isLarge(url: string): boolean {
  return /^(models|data)\//.test(url) || /\.(wasm|gz|mjs|onnx|data|pack)$/.test(url) || /\/ort[.-]/.test(url);
}

/** The same response with the headers that isolate and bind the page, or a worker, at this address. Opaque and partial responses stay as they are. */
function guarded(address: string, response: Response, more: Readonly<Record<string, string>> = {}): Response {
  if (response.type === 'opaque' || response.type === 'opaqueredirect' || response.status === 0)
    return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries({ ...headersFor(new URL(address).pathname), ...more }))
    headers.set(name, value);
  const { status, statusText } = response;
  const empty = status === 101 || status === 204 || status === 205 || status === 304;
  return new Response(empty ? null : response.body, { status, statusText, headers });
}

/** Every file of this build; put in by the build. */
const manifest = self.__WB_MANIFEST.filter((entry) => typeof entry !== 'string');
/** Absolute address → the key under which this build's content is stored, so that a new build never serves an old model. */
const keys = new Map<string, string>();
for (const { url, revision } of manifest) {
  if (!isLarge(url)) continue;
  const address = new URL(url, self.registration.scope);
  const key = new URL(address);
  if (revision) key.searchParams.set('revision', revision);
  keys.set(address.href, key.href);
}

/** `bytes=a-b` of a stored whole file. */
async function slice(whole: Response, range: string): Promise<Response> {
  const [, first = '', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
  if (first === '') return whole;
  const blob = await whole.blob();
  const start = Number(first);
  const end = last === '' ? blob.size - 1 : Math.min(Number(last), blob.size - 1);
  return new Response(blob.slice(start, end + 1), {
    status: 206,
    headers: {
      'Content-Range': `bytes ${start}-${end}/${blob.size}`,
      'Content-Length': `${end - start + 1}`,
    },
  });
}

async function fromStore(request: Request, key: string): Promise<Response> {
  const cache = await caches.open(FILES);
  const range = request.headers.get('range');
  let whole = await cache.match(key);
  if (!whole) {
    const fresh = await fetch(request);
    // An aborted or failed download must not poison the store; the rest of a broken one comes back whole by `keep`.
    if (fresh.status === 206) return guarded(request.url, fresh, { [KEEP]: '1' });
    if (fresh.status !== 200) return guarded(request.url, fresh);
    const copy = fresh.clone();
    void cache.put(key, copy).catch(() => undefined);
    whole = fresh;
    if (range) return guarded(request.url, whole);
  }
  return guarded(request.url, range ? await slice(whole, range) : whole);
}

/** A file that came in pieces, which the page has put together. */
async function keep(request: Request, key: string): Promise<Response> {
  const { headers } = request;
  const body = await request.blob();
  const type = headers.get('content-type') ?? 'application/octet-stream';
  const cache = await caches.open(FILES);
  await cache.put(
    key,
    new Response(body, { headers: { 'Content-Type': type, 'Content-Length': `${body.size}` } }),
  );
  return new Response(null, { status: 201 });
}

addPlugins([
  { handlerWillRespond: ({ request, response }) => Promise.resolve(guarded(request.url, response)) },
]);
precacheAndRoute(
  manifest.filter(({ url }) => !isLarge(url)),
  { ignoreURLParametersMatching: [/.*/] },
);
cleanupOutdatedCaches();

registerRoute(
  ({ url }) => keys.has(url.origin + url.pathname),
  ({ request, url }) => fromStore(request, keys.get(url.origin + url.pathname) ?? url.href),
);

registerRoute(
  ({ url }) => keys.has(url.origin + url.pathname),
  ({ request, url }) => keep(request, keys.get(url.origin + url.pathname) ?? url.href),
  'PUT',
);

// Whatever else comes from our own origin still needs the headers (a page loaded past the stored shell, a worker's script).
registerRoute(
  ({ sameOrigin, request }) =>
    sameOrigin && (request.mode === 'navigate' || request.destination === 'worker'),
  async ({ request }) => guarded(request.url, await fetch(request)),
);

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(FILES);
      const current = new Set(keys.values());
      for (const request of await cache.keys()) if (!current.has(request.url)) await cache.delete(request);
      await self.clients.claim();
    })(),
  );
});

// The page asks for the switch: a waiting version never takes over by itself, least of all during a run.
self.addEventListener('message', (event) => {
  if (event.data === 'skip-waiting') void self.skipWaiting();
});
