/** @file A checksum over structured data, so that a stored checkpoint of which one bit is another is known for damaged. */

/** Characters of plain values that are hashed at once. */
const AT_ONCE = 65_536;

/**
 * XXH64 of plain data and the bytes of its arrays, hexadecimal: the same of data and of what structured cloning makes of them, in any order of keys.
 * Values that no clone holds (functions) are passed over, as absent keys are.
 */
export async function checksum(data: unknown): Promise<string> {
  const { createXXHash64 } = await import('hash-wasm');
  const hash = await createXXHash64();
  let text = '';
  const flush = (): void => {
    hash.update(text);
    text = '';
  };
  const add = (piece: string): void => {
    text += piece;
    if (text.length > AT_ONCE) flush();
  };
  const walk = (x: unknown): void => {
    if (ArrayBuffer.isView(x)) {
      add(`${x.constructor.name}${x.byteLength}:`);
      flush();
      hash.update(new Uint8Array(x.buffer, x.byteOffset, x.byteLength));
    } else if (Array.isArray(x)) {
      add(`[${x.length}:`);
      x.forEach(walk);
    } else if (x !== null && typeof x === 'object') {
      const entries = Object.entries(x).filter(([, each]) => each !== undefined);
      add(`{${entries.length}:`);
      for (const [key, each] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) {
        add(`${key.length}:${key}`);
        walk(each);
      }
    } else {
      const word = Object.is(x, -0) ? '-0' : String(x);
      add(`${typeof x}${word.length}:${word}`);
    }
  };
  walk(data);
  flush();
  return hash.digest('hex');
}
