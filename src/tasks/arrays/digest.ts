/** @file One digest of a list of lines. */
import { createSHA256 } from 'hash-wasm';
import { Breath } from '#src/platform/breath.ts';

/** Characters that are hashed at once. */
const PIECE = 2 ** 20;

/** SHA-256 of the lines in their order, each but the last with its end, hexadecimal; they are never there all at once. Throws what the breath throws. */
export async function sha256Lines(lines: Iterable<string>, breath: Breath = new Breath()): Promise<string> {
  const hasher = await createSHA256();
  const encoder = new TextEncoder();
  let some: string[] = [];
  let size = 0;
  const hash = (): void => {
    hasher.update(encoder.encode(some.join('')));
    [some, size] = [[], 0];
  };
  await breath.each(lines, (line, i) => {
    some.push(i > 0 ? `\n${line}` : line);
    size += line.length;
    if (size >= PIECE) hash();
  });
  hash();
  return hasher.digest('hex');
}
