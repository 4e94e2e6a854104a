/** @file A name for a file by what is in it, found piece by piece: neither memory nor the page has to bear it whole. */
import { sha256 } from '#src/platform/sha256.ts';

/** Bytes that are digested at once: a few milliseconds' work even where the browser has no code of its own for it. */
const PIECE = 2 ** 21;

/**
 * Equal for equal contents: the SHA-256 of the pieces' SHA-256s, and the size. Throws what reading the file throws.
 * @param signal ends the work
 */
export async function contentKey(blob: Blob, signal?: AbortSignal): Promise<string> {
  const digests: string[] = [];
  for (let at = 0; at === 0 || at < blob.size; at += PIECE) {
    signal?.throwIfAborted();
    digests.push(await sha256(new Uint8Array(await blob.slice(at, at + PIECE).arrayBuffer())));
  }
  return `${await sha256(new TextEncoder().encode(digests.join()))}-${blob.size}`;
}

/** The size that such a name says. */
export const sizeIn = (key: string): number => Number(key.slice(key.lastIndexOf('-') + 1)) || 0;
