/** @file Reads sources and keeps the last of each kind, so that preparing and starting read once. */
import { Kept, LastKept } from '#src/platform/kept.ts';
import type { Layer } from '#src/oft/types.ts';
import type { LoadExternal } from '#src/runtime/types.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { nearest } from '#src/formats/nearest.ts';
import { giveInputs } from '#src/onnx/givenInputs.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { openModel } from '#src/tasks/modelFiles.ts';
import { findTask } from '#src/tasks/registry.ts';
import type { ModelFile, PreparedTask, TaskHost, TaskModel } from '#src/tasks/types.ts';
import type { JobRequest, Source } from '../../protocol.ts';
import type { OwnFiles } from './ownFiles.ts';
import { openSource, sourceKey } from './sources.ts';
import { readStart, type Start } from '../adapters/start.ts';

export type Progress = (done: number, total: number) => void;

/** What a task reads of a job: plan and optimiser may change without reading data anew. */
const taskKey = ({ task, options, inputs, rounding, data, train, sample }: Job): string => {
  const { steps, batch, accumulate, seed, minSnr } = train;
  return JSON.stringify([
    task,
    options,
    inputs,
    rounding,
    data,
    steps,
    batch,
    accumulate,
    seed,
    minSnr,
    sample,
  ]);
};

/** A value for an input that the model does not have. */
function unknownInput(name: string, there: readonly string[]): DataError {
  const meant = nearest(name, there);
  return new DataError(
    `A value is given for the input ${name}, which the model does not have${meant ? `; did you mean ${meant}?` : `: its inputs are ${there.join(', ') || 'none'}.`}`,
  );
}

export class Loader {
  readonly #own: OwnFiles;
  readonly #kept = new Map<string, LastKept<unknown>>();
  readonly #opened = new WeakMap<FileSet, Kept<string, ModelFile>>();

  constructor(own: OwnFiles) {
    this.#own = own;
  }

  #once<T>(slot: string, key: string, make: () => Promise<T>): Promise<T> {
    const last = this.#kept.get(slot) ?? new LastKept();
    this.#kept.set(slot, last);
    return last.get(key, make) as Promise<T>;
  }

  /** The model's files. */
  #modelFiles(source: Source): Promise<FileSet> {
    return this.#once('model files', sourceKey(source), () =>
      openSource(source, { own: this.#own, kind: 'models' }),
    );
  }

  /** Data that are looked at, whatever is trained. */
  looked(source: Source): Promise<FileSet> {
    return this.#dataFiles('looked', source);
  }

  #dataFiles(slot: 'train' | 'heldout' | 'looked', source: Source): Promise<FileSet> {
    return this.#once(slot, sourceKey(source), () => openSource(source, { own: this.#own, kind: 'data' }));
  }

  /** Fetches all built-in files of a request side by side. What fails is said by whoever reads it then. */
  async prefetch({ model, train, heldout }: JobRequest): Promise<void> {
    const wanted: Promise<FileSet>[] = [];
    if (model.kind === 'builtin') wanted.push(this.#modelFiles(model));
    if (train.kind === 'builtin') wanted.push(this.#dataFiles('train', train));
    if (heldout?.kind === 'builtin') wanted.push(this.#dataFiles('heldout', heldout));
    await Promise.allSettled(
      wanted.map(async (opening) => {
        const files = await opening;
        await Promise.allSettled(files.paths.map((path) => files.read(path, 0, 0)));
      }),
    );
  }

  /** Each ONNX file of a set is decoded once. */
  #open(files: FileSet, path: string): Promise<ModelFile> {
    const opened = this.#opened.get(files) ?? new Kept<string, ModelFile>();
    this.#opened.set(files, opened);
    return opened.get(path, () => openModel(files, path));
  }

  /** Reads a range of a model's external data. */
  external(source: Source): LoadExternal {
    return async (location, offset, length) =>
      (await this.#modelFiles(source)).read(location, offset, length);
  }

  /** The model as the job's task sees it. */
  model(source: Source, job: Job): Promise<TaskModel> {
    return this.#once('model', `${sourceKey(source)}:${taskKey(job)}`, async () => {
      const files = await this.#modelFiles(source);
      const { inputs = {}, rounding } = job;
      const left = new Set(Object.keys(inputs));
      const there: string[] = [];
      const opened = await findTask(job.task).open(
        files,
        async (path) => {
          const file = await this.#open(files, path);
          for (const { name } of file.model.graph.inputs) {
            left.delete(name);
            there.push(name);
          }
          const given = giveInputs(file.model, inputs);
          return { ...file, model: rounding ? { ...given, rounding } : given };
        },
        job,
      );
      const [unknown] = left;
      if (unknown !== undefined) throw unknownInput(unknown, there);
      return opened;
    });
  }

  /** Model and data together. */
  prepared(
    { job, model, train, heldout }: JobRequest,
    host: TaskHost,
    tell?: Progress,
  ): Promise<PreparedTask> {
    const keys = [model, train, heldout].map(sourceKey);
    return this.#once('prepared', JSON.stringify([keys, taskKey(job)]), async () => {
      const task = await this.model(model, job);
      const files = await this.#dataFiles('train', train);
      const judged = heldout && (await this.#dataFiles('heldout', heldout));
      try {
        return await this.#own.whole(() => task.prepare(files, judged, host, tell));
      } catch (cause) {
        // Tasks keep by the set what they read of it: what could not be fetched would be damaged for ever.
        for (const slot of ['train', 'heldout']) this.#kept.delete(slot);
        throw cause;
      }
    });
  }

  /** An adapter file, read for a model's layers. */
  adapter(source: Source, modelHash: string, layers: readonly Layer[]): Promise<Start> {
    return this.#once('adapter', `${modelHash}:${sourceKey(source)}`, async () => {
      if (source.kind === 'builtin')
        throw new DataError(`There is no built-in adapter "${source.id}". Choose a file.`);
      return readStart(await openSource(source, { own: this.#own, kind: 'data' }), layers);
    });
  }
}
