/** @file What the trainer is given by the realm it runs in: a browser's worker, or a test in Node. */
import type { PreparedStore } from '#src/store/prepared.ts';
import type { OwnFileList } from '#src/platform/ownFile.ts';
import type { TaskHost } from '#src/tasks/types.ts';
import type { CreateRuntime } from './devices.ts';
import type { Runs } from './saved.ts';

/** Of Rotune and of onnxruntime-web. */
export type Versions = Readonly<Record<'rotune' | 'runtime', string>>;

export interface Environment {
  /** Address of the app's folder, under which models/ and data/ lie. */
  readonly base: URL;
  /** What the build knows of the files there; absent: nothing. */
  readonly files?: OwnFileList | undefined;
  readonly createRuntime: CreateRuntime;
  readonly decodeImage: TaskHost['decodeImage'];
  readonly runs: Runs;
  /** Where prepared data are kept beyond a run; absent: nowhere. */
  readonly prepared?: PreparedStore | undefined;
  /** What checkpoints say that they were computed with; absent: not known. */
  readonly versions?: Versions | undefined;
  /** A name for a new run. */
  readonly newId?: () => string;
  /** When the page was opened, milliseconds since 1970: what was removed before that is gone for good. Absent: when the session began. */
  readonly since?: () => number;
}
