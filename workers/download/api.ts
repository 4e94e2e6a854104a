/** @file Downloads as the page asks for them: failures travel as data, progress a few times a second. */
import type { Outcome } from '../types.ts';
import { bad, Cancelled, good, problemOf } from '../trainer/problems.ts';
import { seldom } from '../trainer/run/seldom.ts';
import type { Downloads } from './downloads.ts';
import type { StoredModels } from './stored.ts';
import type { FetchingApi, StoredApi } from './types.ts';

async function outcome<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return good(await work());
  } catch (error) {
    if (error instanceof Cancelled)
      return bad({
        code: 'cancelled',
        message: error.message,
        safe: 'What came so far is kept.',
        cure: 'Downloading again goes on from there.',
      });
    return bad(problemOf(error));
  }
}

export const fetchingApi = (downloads: Downloads): FetchingApi => ({
  lookAtUrl: (url) => outcome(() => downloads.look(url)),
  download: (url, paths, onProgress) => {
    const tell = seldom(onProgress);
    return outcome(() =>
      downloads.download(url, paths, (progress) => tell(progress, progress.done === progress.total)),
    );
  },
  cancelDownload() {
    downloads.cancel();
    return Promise.resolve();
  },
});

export const storedApi = (stored: StoredModels): StoredApi => ({
  downloads: () => outcome(() => stored.list()),
  openDownload: (url) => outcome(() => stored.open(url)),
  removeDownload: (url) =>
    outcome(async () => {
      await stored.remove(url);
      return null;
    }),
});
