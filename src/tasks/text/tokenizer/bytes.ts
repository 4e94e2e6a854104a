/** @file Bytes as the visible characters that byte-level vocabularies write them by (GPT-2's). */

/** Visible bytes stand for themselves; the others for the characters from 256 on, in their order. */
const characters: readonly string[] = (() => {
  const visible = (b: number): boolean =>
    (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(visible(b) ? b : next++));
})();

const encoder = new TextEncoder();

/** UTF-8, a character for each byte. */
export const byteText = (text: string): string =>
  Array.from(encoder.encode(text), (byte) => characters[byte]!).join('');

/** Names of the bytes of a text in vocabularies that fall back to bytes: <0x0A>. */
export const byteNames = (text: string): string[] =>
  Array.from(encoder.encode(text), (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
