/** @file What goes wrong with files and texts from outside. Every message names what, where and the way out, and is shown as it is. */

import type { PlainOptions } from '#src/platform/refusals.ts';
import { FormatError } from '#src/tasks/arrays/errors.ts';

export { FormatError };

/** A job or plan cannot be used. `key` is the dotted key that is wrong, where there is one. */
export class JobError extends FormatError {
  override readonly name = 'JobError';
  readonly key: string | undefined;
  constructor(message: string, key?: string, options?: PlainOptions) {
    super(message, options);
    this.key = key;
  }
}

/** A share link cannot be read or made. */
export class LinkError extends FormatError {
  override readonly name = 'LinkError';
}

/** An adapter's numbers do not fit the model, or one another. */
export class Misfit extends FormatError {
  override readonly name = 'Misfit';
  constructor(message: string, { cure, ...options }: PlainOptions = {}) {
    super(message, { ...options, cure: cure ?? otherModel });
  }
}

export const otherModel =
  'The adapter belongs to another model, or its file is damaged: open the model it was trained on, or get the file again.';
