/** @file The realm that downloads: the one part of Rotune whose policy lets it reach other hosts (scripts/policy.mjs). It trains nothing, and lives as long as it is asked. */
import { expose, releaseProxy } from 'comlink';
import { privateDepot } from '#src/store/downloads.ts';
import { fetchingApi } from './api.ts';
import { Downloads } from './downloads.ts';
import type { DownloadProgress, FetchingApi } from './types.ts';

const api = fetchingApi(new Downloads({ depot: privateDepot(), fetch: (url, init) => fetch(url, init) }));

/** The page's callback, which comlink made a proxy of. */
type Listener = ((progress: DownloadProgress) => void) & { readonly [releaseProxy]?: () => void };

const served: FetchingApi = {
  ...api,
  async download(url, paths, onProgress: Listener) {
    try {
      return await api.download(url, paths, onProgress);
    } finally {
      onProgress[releaseProxy]?.();
    }
  },
};

expose(served);
