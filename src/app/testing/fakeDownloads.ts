/** @file Downloads for tests of the page: one model of two files at any address, which comes in four parts. */
import type { DownloadApi, DownloadProgress, RemoteModel } from '#workers/download/types.ts';
import type { Outcome, Problem, Source } from '#workers/protocol.ts';

const good = <T>(value: T): Outcome<T> => ({ ok: true, value });
const SIZES = new Map([
  ['model.onnx', 1_400_000],
  ['model.onnx_data', 92_000_000],
]);
const absent: Problem = { code: 'bad-data', message: 'There is no file at that address (404).' };

const wait = () => new Promise((done) => setTimeout(done, 2));

export class FakeDownloads implements DownloadApi {
  readonly #here = new Map<string, Map<string, number>>();
  #cancel = new AbortController();
  /** After so many parts of a download it waits to be cancelled. */
  holdAfter = Infinity;

  async lookAtUrl(url: string): Promise<Outcome<RemoteModel>> {
    await wait();
    return url.includes('absent') ? { ok: false, problem: absent } : good(this.#model(url));
  }

  async download(
    url: string,
    paths: readonly string[],
    onProgress: (progress: DownloadProgress) => void,
  ): Promise<Outcome<RemoteModel>> {
    this.#cancel = new AbortController();
    const { signal } = this.#cancel;
    const here = this.#here.get(url) ?? new Map<string, number>();
    this.#here.set(url, here);
    const total = paths.reduce((n, path) => n + SIZES.get(path)!, 0);
    let parts = 0;
    for (const path of paths)
      for (let part = 1; part <= 4; part++) {
        await wait();
        while (!signal.aborted && ++parts > this.holdAfter) await wait();
        if (signal.aborted)
          return { ok: false, problem: { code: 'cancelled', message: 'The download was cancelled.' } };
        here.set(path, (SIZES.get(path)! * part) / 4);
        onProgress({ path, done: [...here.values()].reduce((a, b) => a + b, 0), total });
      }
    return good(this.#model(url));
  }

  async cancelDownload() {
    this.#cancel.abort();
  }

  async downloads() {
    return good([...this.#here.keys()].map((url) => this.#model(url)));
  }

  async openDownload(url: string): Promise<Outcome<Source>> {
    const files = [...SIZES.keys()].map((path) => ({ path, blob: new Blob(['x']) }));
    return good({ kind: 'files', name: url.split('/').at(-1)!, files });
  }

  async removeDownload(url: string) {
    this.#here.delete(url);
    return good(null);
  }

  #model(url: string): RemoteModel {
    const here = this.#here.get(url);
    const files = [...SIZES].map(([path, bytes]) => {
      const came = here?.get(path) ?? 0;
      return { path, bytes, here: came, sha256: came === bytes ? 'f00d'.repeat(16) : null };
    });
    return {
      url,
      host: new URL(url).host,
      name: url.split('/').at(-1)!,
      files,
      complete: files.every((f) => f.sha256 !== null),
      room: { used: 40_000_000, quota: 10_000_000_000 },
    };
  }
}
