/** @file Bytes of a text file as text, whatever wrote it. */

/** UTF-8, or UTF-16 where the file begins with its mark (Excel's "Unicode text"), without the mark; null: neither. */
export function decodeText(bytes: Uint8Array): string | null {
  const [a, b] = bytes;
  const encoding = a === 0xff && b === 0xfe ? 'utf-16le' : a === 0xfe && b === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
