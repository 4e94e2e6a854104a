/** @file The training realm: joins the runtime, the store and the browser's decoders, and shows the page one API. */
import { expose, releaseProxy, transfer } from 'comlink';
import { takeLock } from '#src/platform/locks.ts';
import type { OwnFileList } from '#src/platform/ownFile.ts';
import { pulse, STRETCH } from '#src/platform/pulse.ts';
import type { RuntimeOptions } from '#src/runtime/backend.ts';
import { createRuntime } from '#src/runtime/runtime.ts';
import { privateDepot } from '#src/store/downloads.ts';
import { PreparedStore } from '#src/store/prepared.ts';
import type { Outcome, PrepareProgress, RunEvent, WorkerApi } from '../protocol.ts';
import { storedApi } from '../download/api.ts';
import { StoredModels } from '../download/stored.ts';
import { type DrawSvg, imageDecoder } from './data/images.ts';
import { openRuns } from './saved.ts';
import { Session } from './session.ts';
import { versions } from '#src/platform/version.ts';

/** The worker's script lies in a folder of the app's own folder, in development (workers/) as in a build (assets/). */
const base = new URL('../', self.location.href);

/** Put in by the build (vite.config.ts). */
declare const ROTUNE_FILES: OwnFileList | undefined;

/** Lent by the page. */
let drawSvg: DrawSvg | null = null;

/** How the page wants the runtime started, and where it hears of it. */
let starting: Pick<RuntimeOptions, 'threads' | 'note' | 'onStart'> = {};

/** When the page was opened. */
let since = performance.timeOrigin;

const session = new Session({
  base,
  files: typeof ROTUNE_FILES === 'undefined' ? undefined : ROTUNE_FILES,
  createRuntime: (prefer, onStart) =>
    createRuntime({
      prefer,
      ...starting,
      onStart: (sign) => {
        starting.onStart?.(sign);
        onStart(sign);
      },
    }),
  decodeImage: imageDecoder(() => drawSvg),
  runs: openRuns(),
  since: () => since,
  prepared: new PreparedStore(),
  versions,
});

const { library } = session;

/** Large results go over without a copy. */
function handOver<T>(outcome: Outcome<T>, buffers: (value: T) => readonly ArrayBufferLike[]): Outcome<T> {
  return outcome.ok ? transfer(outcome, [...buffers(outcome.value)] as Transferable[]) : outcome;
}

/** What reads or writes whole files, and may be long at it without a pause. */
const STRETCHES = [
  ...(['inspect', 'prepare', 'measure', 'exportKept', 'pictures', 'sample', 'ask', 'exportAdapter'] as const),
  ...(['openAdapter', 'openRun', 'keepRun', 'branchRun', 'exportRuns', 'importRuns'] as const),
] satisfies (keyof WorkerApi)[];

/** The same functions; while they are at it, the page hears that a beat may be late. */
function unhurried(all: WorkerApi, names: readonly (keyof WorkerApi)[]): Partial<WorkerApi> {
  type Any = (...args: unknown[]) => Promise<unknown>;
  return Object.fromEntries(
    names.map((name) => {
      const call = all[name] as Any;
      const announced: Any = (...args) => pulse.during(STRETCH, () => call(...args));
      return [name, announced];
    }),
  );
}

/** The page's callback, which comlink made a proxy of. */
type Listener<T> = ((event: T) => void) & { readonly [releaseProxy]?: () => void };

const api: WorkerApi = {
  lendSvg(draw) {
    drawSvg = draw;
    return Promise.resolve();
  },
  watchStart(options, tell) {
    starting = { ...options, onStart: tell };
    since = options.since ?? since;
    return Promise.resolve();
  },
  watch(beat, lock) {
    pulse.begin(beat);
    return takeLock(lock).then(() => undefined);
  },
  device: (prefer) => session.device(prefer),
  inspect: (source, look) => session.inspect(source, look),
  async prepare(request, probe, onProgress?: Listener<PrepareProgress>) {
    try {
      return await session.prepare(request, probe, onProgress);
    } finally {
      if (onProgress) onProgress[releaseProxy]?.();
    }
  },
  async measure(request, onProgress?: Listener<PrepareProgress>) {
    try {
      return await session.measure(request, onProgress);
    } finally {
      if (onProgress) onProgress[releaseProxy]?.();
    }
  },
  cancelPreparation: () => session.cancelPreparation(),
  keptData: () => session.keptData(),
  exportKept: (name) => session.exportKept(name),
  removeKept: (name) => session.removeKept(name),
  async start(request, onEvent: Listener<RunEvent>, ...rest) {
    try {
      return await session.start(request, onEvent, ...rest);
    } finally {
      onEvent[releaseProxy]?.();
    }
  },
  differences: (request, id) => session.differences(request, id),
  pause: () => session.pause(),
  stop: () => session.stop(),
  saveAgain: () => session.saveAgain(),
  sampleNow: () => session.sampleNow(),
  changeRate: (id, factor) => session.changeRate(id, factor),
  sample: async (request) =>
    handOver(await session.sample(request), ({ pictures }) => pictures.map(({ rgba }) => rgba.buffer)),
  ask: async (request) =>
    handOver(await session.ask(request), (said) =>
      said.flatMap(({ items, npz }) => [
        ...items.flatMap(({ picture, made }) => [picture, made].flatMap((p) => (p ? [p.rgba.buffer] : []))),
        ...(npz ? [npz.buffer] : []),
      ]),
    ),
  pictures: async (request) =>
    handOver(await session.pictures(request), (all) =>
      all.flatMap((each) => (each ? [each.rgba.buffer] : [])),
    ),
  exportAdapter: async (format) =>
    handOver(await session.exportAdapter(format), ({ bytes }) => [bytes.buffer]),
  openAdapter: (request) => session.openAdapter(request),
  runs: () => library.runs(),
  openRun: (request, id) => library.openRun(request, id),
  keepRun: (request, id) => library.keepRun(request, id),
  savedSteps: (id) => library.savedSteps(id),
  branchRun: (id, step) => library.branchRun(id, step),
  renameRun: (id, name) => library.renameRun(id, name),
  removeRun: (id) => library.removeRun(id),
  restoreRun: (id) => library.restoreRun(id),
  discard: (id) => library.discard(id),
  exportRuns: (ids) => library.exportRuns(ids),
  importRuns: (archive) => library.importRuns(archive),
  freeCheckpoints: () => library.freeCheckpoints(),
  ...storedApi(new StoredModels(privateDepot())),
  debug: () => session.debug(),
};

expose({ ...api, ...unhurried(api, STRETCHES) });
