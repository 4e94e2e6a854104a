/** @file The text of a file, in the encodings that editors and spreadsheets write. */
import { Reason } from '#src/platform/refusals.ts';

/** Bytes that are looked at where no mark says the encoding. */
const SAMPLE = 4096;

/**
 * The encoding that a byte order mark names. Without one: UTF-16 where every other byte of the beginning is zero far more often than its
 * neighbour, as in any text of Latin letters; else UTF-8.
 */
function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  const sample = bytes.subarray(0, SAMPLE);
  for (const [i, byte] of sample.entries()) if (byte === 0) zeros[i % 2]!++;
  const [even, odd] = zeros as [number, number];
  const many = sample.length / 8;
  if (odd > many && odd > 8 * even) return 'utf-16le';
  if (even > many && even > 8 * odd) return 'utf-16be';
  return 'utf-8';
}

/**
 * UTF-8, or UTF-16 as spreadsheets save "Unicode text"; without the byte order mark.
 * @throws Reason with the reason, without the file's name
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
  } catch {
    throw new Reason('it is not UTF-8 or UTF-16 text');
  }
}
