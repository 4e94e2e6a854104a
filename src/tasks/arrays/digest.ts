/** @file One digest of a list of lines. */
import { sha256 } from '#src/tasks/digest.ts';

/** SHA-256 of the lines in their order, hexadecimal. */
export const sha256Lines = (lines: readonly string[]): Promise<string> =>
  sha256(new TextEncoder().encode(lines.join('\n')));
