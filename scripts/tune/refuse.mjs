/** @file Bad input of `npm run tune`, and where the person stands who gave it. */
import { Refusal } from '../ensure.mjs';

/** npm runs commands in the package's folder; paths are meant from where the person stands. */
export const HERE = process.env.INIT_CWD ?? process.cwd();

/** Exit status for bad input. */
const BAD_INPUT = 2;

/** @param {string} message @returns {never} */
export function refuse(message) {
  throw new Refusal(message, BAD_INPUT);
}

/** What went wrong, for a message of one line. @param {unknown} cause */
export const oneLine = (cause) =>
  String(cause instanceof Error ? cause.message : cause).replaceAll(/\s*\n\s*/g, ' ');
