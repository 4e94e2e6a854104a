/** @file How the page's workers are started: by the addresses of their scripts, which the page's policy wants to know for ours. */
import { proxy, releaseProxy, type Remote, wrap } from 'comlink';
import { ownScript } from '#src/platform/ownScript.ts';
import type { FetchingApi } from '#workers/download/types.ts';
import type { StartOptions, StartSign, WorkerApi } from '#workers/protocol.ts';
import downloadScript from '../../../workers/download.worker.ts?worker&url';
import trainerScript from '../../../workers/trainer.worker.ts?worker&url';
import type { Line } from './connection.ts';
import { drawSvg } from './svg.ts';

/** @param part what it is called in the words for its death */
function openLine<Api>(script: string, name: string, part: string): Line<Remote<Api>> {
  const worker = new Worker(ownScript(new URL(script, import.meta.url)), { type: 'module', name });
  const api = wrap<Api>(worker);
  const died = new Promise<never>((_resolve, reject) => {
    worker.addEventListener('error', (event) => {
      reject(new Error(event.message || `The ${part} worker could not start.`));
    });
    worker.addEventListener('messageerror', () => {
      reject(new Error(`A message from the ${part} worker could not be read.`));
    });
  });
  died.catch(() => undefined);
  return {
    api,
    died,
    close: () => {
      api[releaseProxy]();
      worker.terminate();
    },
  };
}

/** Starts the training worker. */
export function openTrainer(options: StartOptions, tell: (sign: StartSign) => void): Line<Remote<WorkerApi>> {
  const line = openLine<WorkerApi>(trainerScript, 'rotune-trainer', 'training');
  void line.api.lendSvg(proxy(drawSvg));
  void line.api.watchStart(options, proxy(tell));
  return line;
}

/** Starts the worker that reaches other hosts. */
export const openDownloader = (): Line<Remote<FetchingApi>> =>
  openLine<FetchingApi>(downloadScript, 'rotune-download', 'downloading');
