/** @file TIFF's LZW, walked without unpacking: the library that unpacks it trusts every code, and a wrong one sends it round in circles for ever. */

const [CLEAR, END, WIDEST] = [256, 257, 12];

/**
 * Whether every code is a byte, or stands for what came before it, and all of it unpacks to no more than so many bytes.
 * @param packed one strip or tile, its bits from the highest to the lowest
 * @param most bytes
 */
export function isWholeLzw(packed: Uint8Array, most: number): boolean {
  /** Bytes that a code stands for; codes below CLEAR stand for one. */
  const lengths = new Uint32Array(2 ** WIDEST).fill(1);
  let [next, bits] = [END + 1, 9];
  let before = 0;
  let total = 0;
  let fresh = false;
  let at = 0;
  const code = (): number => {
    const byte = at >>> 3;
    const three = ((packed[byte] ?? 0) << 16) | ((packed[byte + 1] ?? 0) << 8) | (packed[byte + 2] ?? 0);
    const found = (three >>> (24 - (at & 7) - bits)) & (2 ** bits - 1);
    at += bits;
    return found;
  };
  while (at < 8 * packed.length) {
    const found = code();
    // Bits that fill the last byte are no code.
    if (found === END || at > 8 * packed.length) return true;
    if (found === CLEAR) {
      [next, bits, fresh] = [END + 1, 9, true];
      continue;
    }
    if (found > (fresh ? CLEAR - 1 : next)) return false;
    if (!fresh) {
      if (next < lengths.length) lengths[next] = lengths[before]! + 1;
      next++;
      if (next + 1 === 2 ** bits && bits < WIDEST) bits++;
    }
    total += lengths[found]!;
    if (total > most) return false;
    [before, fresh] = [found, false];
  }
  return true;
}
