/** @file SHA-256 as hexadecimal text. `crypto.subtle` is there in secure contexts only; WebAssembly computes the same elsewhere. */

/** Of the bytes. `subtle`: the browser's own code; null: it gives none. */
export async function sha256(
  bytes: Uint8Array,
  subtle: SubtleCrypto | null = (crypto as Partial<Crypto>).subtle ?? null,
): Promise<string> {
  if (!subtle) return (await import('hash-wasm')).sha256(bytes);
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (b) => b.toString(16).padStart(2, '0')).join('');
}
