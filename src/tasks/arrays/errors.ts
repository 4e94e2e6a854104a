/** @file What is wrong with bytes that should be a file of some format. */

/** A file is not what its name says, or is damaged. The message names what, where and the way out, and is shown as it is. */
export class FormatError extends Error {
  override readonly name: string = 'FormatError';
}
