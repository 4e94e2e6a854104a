/** @file How the page's workers are started: by the addresses of their scripts, which the page's policy wants to know for ours. */
import { proxy, releaseProxy, type Remote, wrap } from 'comlink';
import { randomId } from '#src/platform/id.ts';
import { lockFreed, takeLock } from '#src/platform/locks.ts';
import { ownScript } from '#src/platform/ownScript.ts';
import type { FetchingApi } from '#workers/download/types.ts';
import type { StartOptions, StartSign, WorkerApi } from '#workers/protocol.ts';
import downloadScript from '../../../workers/download.worker.ts?worker&url';
import trainerScript from '../../../workers/trainer.worker.ts?worker&url';
import type { Line } from './connection.ts';
import { drawSvg } from './svg.ts';
import { ended, silent, Watchdog, WorkerGone } from './watchdog.ts';

interface Opened<Api> extends Line<Remote<Api>> {
  /** Aborts when the line is closed. */
  readonly closed: AbortSignal;
  /** The worker is given up. */
  readonly giveUp: (cause: Error) => void;
}

function openLine<Api>(script: string, name: string): Opened<Api> {
  const worker = new Worker(ownScript(new URL(script, import.meta.url)), { type: 'module', name });
  const api = wrap<Api>(worker);
  const closing = new AbortController();
  let giveUp: (cause: Error) => void = () => undefined;
  const died = new Promise<never>((_resolve, reject) => {
    giveUp = reject;
    worker.addEventListener('error', (event) => {
      reject(new WorkerGone(event.message ? 'stopped' : 'could not start', { cause: event.message }));
    });
    worker.addEventListener('messageerror', () => {
      reject(new WorkerGone('sent what could not be read'));
    });
  });
  died.catch(() => undefined);
  return {
    api,
    died,
    closed: closing.signal,
    giveUp,
    close: () => {
      // Given up, it is closed by whoever gave it up, and by what hears of its end: a proxy that is released twice throws.
      if (closing.signal.aborted) return;
      closing.abort();
      api[releaseProxy]();
      worker.terminate();
    },
  };
}

/** Marks a callback as one that a worker calls here. */
export const lend = <T extends object>(callback: T) => proxy(callback);

/** A worker that is ended may be deep in its memory, and takes a while to go. No longer than so long is waited for it, milliseconds. */
const LEAVING = 60_000;

/** Starts the training worker, and listens whether it is alive. */
export function openTrainer(options: StartOptions, tell: (sign: StartSign) => void): Line<Remote<WorkerApi>> {
  const { closed, giveUp, ...line } = openLine<WorkerApi>(trainerScript, 'rotune-trainer');
  void line.api.lendSvg(proxy(drawSvg));
  void line.api.watchStart(options, proxy(tell));
  const watchdog = new Watchdog(() => giveUp(silent()));
  closed.addEventListener('abort', () => watchdog.end());
  const lock = `rotune-worker-${randomId()}`;
  void line.api
    .watch(
      proxy((allowed) => watchdog.hear(allowed)),
      lock,
    )
    .then(() => lockFreed(lock, closed))
    .then(() => giveUp(ended()));
  const gone = async (): Promise<void> => {
    const release = await takeLock(lock, LEAVING);
    await release?.();
  };
  return { ...line, gone };
}

/** Starts the worker that reaches other hosts. */
export const openDownloader = (): Line<Remote<FetchingApi>> =>
  openLine<FetchingApi>(downloadScript, 'rotune-download');
