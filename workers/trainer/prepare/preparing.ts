/** @file Requests made ready: the device and all files fetched beside it, then the setup, which preparing and starting share. */
import { pulse, STRETCH } from '#src/platform/pulse.ts';
import type { PreparedStore } from '#src/store/prepared.ts';
import type { JobRequest, Preparation, PrepareProgress, Speed } from '../../protocol.ts';
import type { Bench } from '../bench.ts';
import type { Devices, Fetched } from '../devices.ts';
import { fetchedAnew } from '../files/anew.ts';
import type { Loader } from '../files/loader.ts';
import { sourceKey } from '../files/sources.ts';
import type { Lent } from '../lent.ts';
import { checkedJob } from '../run/resume.ts';
import { seldom } from '../run/seldom.ts';
import type { Saved } from '../saved.ts';
import { lookAt } from './look.ts';
import { makeSetup } from './setup.ts';
import { speedOf } from './speed.ts';
import type { Setup } from './types.ts';

export class Preparing {
  readonly #devices: Devices;
  readonly #loader: Loader;
  readonly #lent: Lent;
  readonly #kept: PreparedStore | undefined;
  #last: { readonly key: string; readonly setup: Setup } | null = null;
  /** Ends the preparation that is going on. */
  #cancelling: AbortController | null = null;
  /** Of the preparation that goes on, whatever comes of it. */
  #over: Promise<unknown> = Promise.resolve();

  constructor(devices: Devices, loader: Loader, lent: Lent, kept: PreparedStore | undefined) {
    this.#devices = devices;
    this.#loader = loader;
    this.#lent = lent;
    this.#kept = kept;
  }

  /** The last request made ready. */
  get setup(): Setup | null {
    return this.#last?.setup ?? null;
  }

  /** Comes back once the preparation has heard it: what is deep in a file may take a while. */
  async cancel(reason: Error): Promise<void> {
    this.#cancelling?.abort(reason);
    await this.#over;
  }

  /** Makes a request ready, and says what came of it. Can be cancelled until it is done. */
  prepare(
    request: JobRequest,
    withProbe: boolean,
    onProgress: (progress: PrepareProgress) => void,
  ): Promise<Preparation> {
    return this.#made(request, onProgress, async (setup, bench, tell) => {
      const looked = await lookAt(setup, withProbe, bench, this.#lent.host, tell);
      const anew = fetchedAnew(this.#devices.takeAnew());
      return { ...looked, problems: [...looked.problems, ...anew] };
    });
  }

  /** Makes a request ready, and says how fast the device is with it. Can be cancelled until it is done. Throws ProblemError where it is not sound. */
  measure(request: JobRequest, onProgress: (progress: PrepareProgress) => void): Promise<Speed> {
    return this.#made(request, onProgress, (setup, bench, tell) =>
      speedOf(setup, bench, this.#lent.host, tell),
    );
  }

  async #made<T>(
    request: JobRequest,
    onProgress: (progress: PrepareProgress) => void,
    work: (setup: Setup, bench: Bench, tell: (progress: PrepareProgress) => void) => Promise<T>,
  ): Promise<T> {
    const tell = seldom((progress: PrepareProgress) => onProgress(progress));
    try {
      return await this.#cancellable(async (signal) => {
        const going = (progress: PrepareProgress): void => {
          signal.throwIfAborted();
          tell(progress, progress.done === progress.total);
        };
        const bench = await this.#ready(request, signal, ({ done, total }) =>
          tell({ what: 'fetching', done, total }, done === total),
        );
        signal.throwIfAborted();
        return await work(await this.make(request, null, going), bench, going);
      });
    } finally {
      await this.#kept?.flush();
    }
  }

  /** The device that a request wants, started, while its files are fetched. Can be cancelled. */
  async device(request: JobRequest, tell: (progress: Fetched) => void): Promise<Bench> {
    return this.#cancellable(async (signal) => {
      const bench = await this.#ready(request, signal, tell);
      signal.throwIfAborted();
      return bench;
    });
  }

  /** The request's setup: the last one, if it was for the same. @param saved of the run that is to go on */
  async make(
    request: JobRequest,
    saved: Saved | null,
    tell?: (progress: PrepareProgress) => void,
  ): Promise<Setup> {
    const job = checkedJob(request.job);
    const { model, train, heldout, adapter = null } = request;
    const sources = [model, train, heldout, adapter].map(sourceKey);
    // The plan of a run that began from a file is in its checkpoint.
    const key = JSON.stringify([job, sources, saved?.adapter ? saved.adapter.hash : null]);
    this.#lent.external = this.#loader.external(model);
    this.#lent.keepAs = train.kind === 'files' ? train.name : null;
    if (this.#last?.key !== key)
      this.#last = {
        key,
        setup: await pulse.during(STRETCH, () =>
          makeSetup({ ...request, job }, this.#loader, this.#lent.host, saved, tell),
        ),
      };
    return this.#last.setup;
  }

  #ready(request: JobRequest, ...rest: [AbortSignal, (progress: Fetched) => void]): Promise<Bench> {
    return this.#devices.ready(request.backend, () => this.#loader.prefetch(request), ...rest);
  }

  async #cancellable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const cancelling = new AbortController();
    this.#cancelling = cancelling;
    const done = work(cancelling.signal);
    this.#over = done.catch(() => undefined);
    try {
      return await done;
    } finally {
      this.#cancelling = null;
    }
  }
}
