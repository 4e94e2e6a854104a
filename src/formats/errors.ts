/** @file What goes wrong with files and texts from outside. Every message names what, where and the way out, and is shown as it is. */

import { FormatError } from '#src/tasks/arrays/errors.ts';

export { FormatError };

/** A job or plan cannot be used. `key` is the dotted key that is wrong, where there is one. */
export class JobError extends FormatError {
  override readonly name = 'JobError';
  readonly key: string | undefined;
  constructor(message: string, key?: string) {
    super(message);
    this.key = key;
  }
}

/** A share link cannot be read or made. */
export class LinkError extends FormatError {
  override readonly name = 'LinkError';
}
