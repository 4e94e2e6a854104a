/** @file What is wrong with a folder of images, collected so that all of it can be shown at once. */

export interface DataProblem {
  /** error: a run cannot start. warning: it can, but perhaps not as meant. */
  readonly severity: 'error' | 'warning';
  /** The file meant. */
  readonly item: string;
  readonly message: string;
}

export const problem = (severity: DataProblem['severity'], item: string, message: string): DataProblem => ({
  severity,
  item,
  message,
});
