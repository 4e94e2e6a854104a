/** @file Structured data as JSON with the bytes of its arrays beside, and back: number for number, bit for bit. What comes back is not checked. */
import { Reason } from '#src/platform/refusals.ts';

/** Arrays that are written, little-endian as they lie in memory. */
const KINDS = {
  Float32Array,
  Float64Array,
  Int32Array,
  BigInt64Array,
  Uint8Array,
  Uint8ClampedArray,
} as const;
type Kind = keyof typeof KINDS;
type Bytes = InstanceType<(typeof KINDS)[Kind]>;

/** The key that no data have: an object with it alone stands for what JSON cannot say. */
const MARK = '$';

export interface Flat {
  readonly json: string;
  /** In the order of their numbers. */
  readonly arrays: readonly Uint8Array<ArrayBuffer>[];
}

const kindOf = (x: object): Kind | undefined =>
  (Object.keys(KINDS) as Kind[]).find((kind) => x instanceof KINDS[kind]);

/** Throws TypeError for what is neither plain data nor a known array. */
export function flatten(data: unknown): Flat {
  const arrays: Uint8Array<ArrayBuffer>[] = [];
  const walk = (x: unknown): unknown => {
    if (x === null || typeof x === 'string' || typeof x === 'boolean') return x;
    if (typeof x === 'number')
      return Number.isFinite(x) && !Object.is(x, -0) ? x : { [MARK]: Object.is(x, -0) ? '-0' : String(x) };
    if (Array.isArray(x)) return x.map((each) => walk(each));
    if (typeof x !== 'object') throw new TypeError(`A ${typeof x} is no data.`);
    const kind = kindOf(x);
    if (kind) {
      const { buffer, byteOffset, byteLength } = x as Bytes;
      arrays.push(new Uint8Array(buffer, byteOffset, byteLength));
      return { [MARK]: kind, at: arrays.length - 1 };
    }
    const entries = Object.entries(x).filter(([, each]) => each !== undefined);
    if (Object.hasOwn(x, MARK)) throw new TypeError('The key is taken.');
    return Object.fromEntries(entries.map(([key, each]) => [key, walk(each)]));
  };
  const json = JSON.stringify(walk(data));
  return { json, arrays };
}

/** Deeper than any data of ours. */
const DEEPEST = 64;

/**
 * @param array the bytes of the array with that number
 * @throws Reason for what `flatten` does not write; SyntaxError for what is no JSON
 */
export async function unflatten(json: string, array: (at: number) => Promise<ArrayBuffer>): Promise<unknown> {
  const walk = async (x: unknown, depth: number): Promise<unknown> => {
    if (depth > DEEPEST) throw new Reason('nested too deeply');
    if (typeof x !== 'object' || x === null) return x;
    if (Array.isArray(x)) {
      // Long lists of numbers are most of it: they need no waiting.
      if (x.every((each) => typeof each !== 'object')) return x as unknown[];
      const all: unknown[] = [];
      for (const each of x) all.push(await walk(each, depth + 1));
      return all;
    }
    if (Object.hasOwn(x, MARK)) return marked(x as Readonly<Record<string, unknown>>, array);
    const all: [string, unknown][] = [];
    for (const [key, each] of Object.entries(x)) all.push([key, await walk(each, depth + 1)]);
    return Object.fromEntries(all);
  };
  return walk(JSON.parse(json), 0);
}

const NUMBERS: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity, '-0': -0 };

async function marked(
  { [MARK]: mark, at }: Readonly<Record<string, unknown>>,
  array: (at: number) => Promise<ArrayBuffer>,
): Promise<unknown> {
  if (typeof mark === 'string' && Object.hasOwn(NUMBERS, mark)) return NUMBERS[mark];
  if (typeof mark !== 'string' || !Object.hasOwn(KINDS, mark) || !Number.isSafeInteger(at) || Number(at) < 0)
    throw new Reason('of a kind that is not known');
  const Made = KINDS[mark as Kind];
  const buffer = await array(Number(at));
  if (buffer.byteLength % Made.BYTES_PER_ELEMENT !== 0) throw new Reason('cut off');
  return new Made(buffer);
}
