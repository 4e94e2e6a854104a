/**
 * @file `globalThis.rotune`: the page without its buttons, for `npm run tune` and the end-to-end tests.
 * It drives the same state, client and worker as the page, so what it measures is what a user gets.
 *
 *     await page.goto(address);
 *     await page.waitForFunction(() => 'rotune' in globalThis);
 *     const outcome = await page.evaluate(() => rotune.run({ backend: 'wasm' }));
 *
 * Values travel as Playwright's `evaluate` serialises them: typed arrays arrive as typed arrays.
 */
import { FormatError } from '#src/formats/errors.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { AdapterFormat } from '#src/formats/adapters/adapterFormat.ts';
import type { BackendKind, BackendReport } from '#src/runtime/types.ts';
import type {
  AdapterReport,
  Difference,
  ExportedFile,
  Outcome,
  Samples,
  Preparation,
  Problem,
  RunEvent,
  RunResult,
  RunSummary,
  SampleRequest,
  Source,
  StepRecord,
} from '#workers/protocol.ts';
import { recordsOf } from '#src/training/steps.ts';
import type { Lab } from '../lab.svelte.ts';
import { lastRun } from '../worker/firstLook.ts';
import { failed, toProblem } from '../worker/problems.ts';

/** One file of a folder: by content, or by an address on the page's own origin (relative to the page). */
export type FileInput =
  | { readonly path: string; readonly blob: Blob }
  | { readonly path: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly path: string; readonly base64: string }
  | { readonly path: string; readonly url: string };

export interface FolderInput {
  readonly name: string;
  readonly files: readonly FileInput[];
}

export interface RunOptions {
  /** A whole job, or a job file's TOML text; the built-in demo if left out. */
  readonly job?: Job | string;
  /** Stand in for folders that the job names; built-ins ("builtin:emoji") need none. */
  readonly model?: FolderInput;
  readonly train?: FolderInput;
  readonly heldout?: FolderInput;
  /** An adapter file or folder that the run starts from. */
  readonly adapter?: FolderInput;
  readonly backend?: BackendKind | 'auto';
  /** true: go on with the newest unfinished run, with its own job; or that run's id. */
  readonly resume?: boolean | string;
}

/** With its history record by record. */
export interface RecordedRun extends Omit<RunResult, 'history'> {
  readonly history: readonly StepRecord[];
}

export interface Automation {
  readonly version: 1;
  device(prefer?: BackendKind | 'auto'): Promise<BackendReport>;
  /** Loads and checks without training; with `probe`, times a few steps. */
  prepare(options?: RunOptions, probe?: boolean): Promise<Outcome<Preparation>>;
  /** In what the run that `resume` means would go on otherwise than it was computed so far; `run` does not ask. */
  differences(options: RunOptions): Promise<Outcome<readonly Difference[]>>;
  /** Trains to the end, a stop or a pause. `onEvent` gets every event of the worker. */
  run(options?: RunOptions, onEvent?: (event: RunEvent) => void): Promise<Outcome<RecordedRun>>;
  pause(): Promise<void>;
  stop(): Promise<void>;
  sampleNow(): Promise<void>;
  /** Pictures from the adapter of the last run; what is left out comes from its job. */
  sample(request?: Partial<SampleRequest>): Promise<Outcome<Samples>>;
  /** The adapter of the last run or of the opened file; `lycoris` if no format is named. */
  export(format?: AdapterFormat): Promise<Outcome<ExportedFile>>;
  /** Loads an adapter on the job's model, so that `sample` and `export` use it. */
  open(options: RunOptions & { readonly adapter: FolderInput }): Promise<Outcome<AdapterReport>>;
  /** The newest run that something was saved of. */
  lastRun(): Promise<RunSummary | null>;
  discard(id: string): Promise<void>;
  /** The report that the page's own button copies. */
  report(problem: Problem): Promise<string>;
}

async function toBlob(file: FileInput): Promise<Blob> {
  if ('blob' in file) return file.blob;
  if ('bytes' in file) return new Blob([file.bytes]);
  if ('base64' in file) return new Blob([Uint8Array.from(atob(file.base64), (c) => c.charCodeAt(0))]);
  const address = new URL(file.url, document.baseURI);
  if (address.origin !== location.origin)
    throw new FormatError(`${file.path}: only addresses on this origin are read. Give its bytes.`);
  const response = await fetch(address);
  if (!response.ok)
    throw new FormatError(
      `${file.path} was not given: the server said ${response.status}. Check that the file is still there.`,
    );
  return response.blob();
}

async function toSource(folder: FolderInput | undefined): Promise<Source | null> {
  if (!folder) return null;
  const files = await Promise.all(
    folder.files.map(async (file) => ({ path: file.path, blob: await toBlob(file) })),
  );
  return { kind: 'files', name: folder.name, files: files.toSorted((a, b) => (a.path < b.path ? -1 : 1)) };
}

export function createAutomation(lab: Lab, parseJob: (toml: string) => Job): Automation {
  /** Puts the options where the page's buttons would have put them. */
  async function apply(options: RunOptions): Promise<RunSummary | undefined> {
    const { job = lab.defaultJob, resume, backend = 'auto' } = options;
    lab.draft.reset(typeof job === 'string' ? parseJob(job) : job);
    const model = await toSource(options.model);
    const train = await toSource(options.train);
    const heldout = await toSource(options.heldout);
    const adapter = await toSource(options.adapter);
    if (model || train || heldout || adapter) {
      const named = lab.draft.job;
      lab.draft.pick({ model, train, heldout, adapter });
      // The job keeps its own names for the folders, whatever the stand-ins are called.
      lab.draft.setJob(named);
    }
    if (lab.device.preference !== backend || !lab.device.backend) await lab.prefer(backend);
    if (resume === undefined || resume === false) return undefined;
    const last = await lastRun(lab.trainer);
    if (!last || (typeof resume === 'string' && last.id !== resume))
      throw new FormatError('There is no saved run to go on with. Start a new one.');
    return last;
  }

  return {
    version: 1,
    device: (prefer = 'auto') => lab.trainer.device(prefer),
    async prepare(options = {}, probe = false) {
      try {
        await apply(options);
        return await lab.draft.prepare(probe);
      } catch (cause) {
        return failed(toProblem(cause, { code: 'bad-job' }));
      }
    },
    async differences(options) {
      try {
        const saved = await apply(options);
        if (!saved) return { ok: true, value: [] };
        lab.draft.setJob(saved.job);
        const asked = lab.draft.request();
        if ('code' in asked) return failed(asked);
        return await lab.trainer.differences(asked, saved.id);
      } catch (cause) {
        return failed(toProblem(cause, { code: 'bad-job' }));
      }
    },
    async run(options = {}, onEvent) {
      try {
        const resume = await apply(options);
        const outcome = await lab.training.start({ resume, onEvent });
        if (!outcome.ok) return outcome;
        return { ok: true, value: { ...outcome.value, history: recordsOf(outcome.value.history) } };
      } catch (cause) {
        return failed(toProblem(cause, { code: 'bad-job' }));
      }
    },
    pause: () => lab.training.pause(),
    stop: () => lab.training.stop(),
    sampleNow: () => lab.trainer.sampleNow(),
    sample: (request = {}) => {
      const { prompts, seed, steps, guidance } = (lab.run.job ?? lab.draft.job).sample;
      return lab.trainer.sample({ prompts, seed, steps, guidance, strength: 1, ...request });
    },
    export: (format = 'lycoris') => lab.trainer.exportAdapter(format),
    async open(options) {
      try {
        await apply(options);
        return await lab.trial.open();
      } catch (cause) {
        return failed(toProblem(cause, { code: 'bad-job' }));
      }
    },
    lastRun: () => lastRun(lab.trainer),
    discard: (id) => lab.trainer.discard(id),
    report: (problem) => lab.report(problem),
  };
}

declare global {
  var rotune: Automation | undefined;
}
