/** @file SHA-256 as hexadecimal text. `crypto.subtle` is there in secure contexts only; WebAssembly computes the same elsewhere. */
import { breathe } from './breath.ts';

/** The browser's own code takes a whole file at once; larger ones are hashed piece by piece, so that they need not lie in memory twice. */
const WHOLE = 64 * 2 ** 20;

/** Bytes between two breaths, where our own realm hashes. */
const PIECE = 16 * 2 ** 20;

const native = (): SubtleCrypto | null => (crypto as Partial<Crypto>).subtle ?? null;

/** Of the bytes. `subtle`: the browser's own code; null: it gives none. */
export async function sha256(bytes: Uint8Array, subtle: SubtleCrypto | null = native()): Promise<string> {
  if (!subtle) {
    const { createSHA256 } = await import('./sha256Wasm.ts');
    const hasher = await createSHA256();
    for (let at = 0; at < bytes.byteLength; at += PIECE) {
      if (at > 0) await breathe();
      hasher.update(bytes.subarray(at, at + PIECE));
    }
    return hasher.digest('hex');
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('');
}

/** Of a file. `whole`: bytes up to which it is taken at once. */
export async function sha256OfBlob(
  blob: Blob,
  subtle: SubtleCrypto | null = native(),
  whole: number = WHOLE,
): Promise<string> {
  if (subtle && blob.size <= whole) return sha256(new Uint8Array(await blob.arrayBuffer()), subtle);
  const { createSHA256 } = await import('./sha256Wasm.ts');
  const hasher = await createSHA256();
  const reader = blob.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return hasher.digest('hex');
    hasher.update(value);
  }
}
