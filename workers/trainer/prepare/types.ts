/** @file A request made ready. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { Layout } from '#src/oft/rotation/parameters.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import type { Program } from '#src/program/types.ts';
import type { LoadExternal } from '#src/runtime/types.ts';
import type { PreparedTask, TaskModel, TrainedGraph } from '#src/tasks/types.ts';
import type { AdapterReport, JobRequest, Preparation, Unsaveable } from '../../protocol.ts';
import type { Origin } from '../saved.ts';

export type SetupProblem = Preparation['problems'][number];

export interface Setup {
  readonly request: JobRequest;
  readonly job: Job;
  readonly model: TaskModel;
  readonly prepared: PreparedTask;
  readonly trained: TrainedGraph;
  /** All that can be adapted. */
  readonly layers: readonly Layer[];
  readonly planned: readonly PlannedLayer[];
  /** The adapter file that the run starts from; null: the untouched model. */
  readonly adapter: Origin | null;
  /** What became of the file, where one was read. */
  readonly report: AdapterReport | null;
  readonly layout: Layout;
  /** Numbers in the model's weights. */
  readonly weights: number;
  /** Reads weights that are too large to be held, by range. */
  readonly external: LoadExternal;
  readonly problems: readonly SetupProblem[];
  readonly layoutKey: string;
  /** Kinds of file that it could not be saved as. Found out once. */
  unsaveable(): Promise<readonly Unsaveable[]>;
  /** The same where it was found out already. */
  foundUnsaveable(): readonly Unsaveable[] | undefined;
  /** Newton–Schulz rounds that a run begins with. */
  readonly rounds: number;
  /** Names the training step. */
  trainingKey(rounds: number, variant?: number): string;
  /** The training step with so many Newton–Schulz rounds, for one of the task's shapes of micro-batches. Throws GraphError. */
  program(rounds: number, variant?: number): Program;
}
