/** @file SentencePiece's table of replacements: a double-array trie over UTF-8, and the texts that it points into (Darts-clone's layout). */
import { Reason } from '#src/platform/refusals.ts';
import type { Normalizer } from './types.ts';

const encoder = new TextEncoder();

/** Longer clusters are read character by character. */
const LONGEST = 5;

/**
 * @param table in base64: bytes of the trie as a little-endian number, its units, the replacements with a zero after each. Nothing: as it is
 * @throws DataError where it is cut off
 */
export function precompiled(table: string | null | undefined): Normalizer {
  if (!table) return (text) => text;
  const bytes = Uint8Array.from(atob(table), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const size = bytes.length >= 4 ? view.getUint32(0, true) : 0;
  if (size === 0 || size % 4 !== 0 || 4 + size > bytes.length)
    throw new Reason('its Precompiled table is cut off');
  const unit = (i: number): number => (4 * i < size ? view.getUint32(4 + 4 * i, true) : 0);
  const texts = bytes.subarray(4 + size);
  const offset = (u: number): number => (u >>> 10) << ((u & 0x200) >>> 6);
  const decoder = new TextDecoder();

  /** The replacement of the shortest beginning that the trie knows; null: it knows none. */
  const replaced = (key: Uint8Array): string | null => {
    let at = offset(unit(0));
    for (const byte of key) {
      if (byte === 0) return null;
      at ^= byte;
      const u = unit(at);
      if ((u & 0x800000ff) >>> 0 !== byte) return null;
      at ^= offset(u);
      if (((u >>> 8) & 1) === 1) {
        const start = unit(at) & 0x7fffffff;
        const end = texts.indexOf(0, start);
        return decoder.decode(texts.subarray(start, end < 0 ? texts.length : end));
      }
    }
    return null;
  };

  const known = new Map<string, string>();
  const cluster = (text: string): string => {
    const key = encoder.encode(text);
    const whole = key.length <= LONGEST ? replaced(key) : null;
    return whole ?? Array.from(text, (c) => replaced(encoder.encode(c)) ?? c).join('');
  };
  const clusters = new Intl.Segmenter('und', { granularity: 'grapheme' });
  return (text) => {
    let out = '';
    for (const { segment } of clusters.segment(text)) {
      let made = known.get(segment);
      if (made === undefined) known.set(segment, (made = cluster(segment)));
      out += made;
    }
    return out;
  };
}
