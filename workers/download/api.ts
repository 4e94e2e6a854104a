/** @file Downloads as the page asks for them: failures travel as data, progress a few times a second. */
import type { Outcome } from '../protocol.ts';
import { bad, good, problemOf } from '../trainer/problems.ts';
import type { Downloads } from './downloads.ts';
import { Cancelled } from './fetching.ts';
import type { DownloadApi, DownloadProgress } from './types.ts';

/** Milliseconds between two notes of progress; more would only keep the page busy. */
const OFTEN = 100;

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

function seldom(tell: (progress: DownloadProgress) => void): (progress: DownloadProgress) => void {
  let last = -Infinity;
  return (progress) => {
    const now = performance.now();
    if (now - last < OFTEN && progress.done !== progress.total) return;
    last = now;
    tell(progress);
  };
}

export const downloadApi = (downloads: Downloads): DownloadApi => ({
  lookAtUrl: (url) => outcome(() => downloads.look(url)),
  download: (url, paths, onProgress) => outcome(() => downloads.download(url, paths, seldom(onProgress))),
  cancelDownload() {
    downloads.cancel();
    return Promise.resolve();
  },
  downloads: () => outcome(() => downloads.list()),
  openDownload: (url) => outcome(() => downloads.open(url)),
  removeDownload: (url) =>
    outcome(async () => {
      await downloads.remove(url);
      return null;
    }),
});
