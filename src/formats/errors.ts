/** @file What goes wrong with files and texts from outside. Every message names what, where and the way out, and is shown as it is. */

/** A file is not what its name says, or is damaged. */
export class FormatError extends Error {
  override readonly name: string = 'FormatError';
}

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
