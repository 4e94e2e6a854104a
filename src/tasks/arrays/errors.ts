/** @file What is wrong with bytes that should be a file of some format. */
import { PlainError, type PlainOptions } from '#src/platform/refusals.ts';

/** A file is not what its name says, or is damaged. The message names what, where and the way out, and is shown as it is. */
export class FormatError extends PlainError {
  override readonly name: string = 'FormatError';
}

/** The bytes of a file contradict its format. */
export class DamagedFile extends FormatError {
  override readonly name = 'DamagedFile';
  constructor(message: string, { cure, ...options }: PlainOptions = {}) {
    super(message, { ...options, cure: cure ?? 'Choose another copy of the file.' });
  }
}
