/** @file What a kind of input is to the fuzzers: how one is made from a number, and the door that it is brought to. */

/** A problem as it is shown. */
export interface Said {
  readonly message: string;
  readonly cure?: string | undefined;
}

export interface FuzzKind {
  /** Of the files that kept cases lie in, with its dot. */
  readonly ending: string;
  /** How many cases `npm run sweep` tries. */
  readonly full: number;
  /** A case, the same for the same seed: well-formed, damaged or hostile, as a file or a text would come. */
  readonly make: (seed: number) => Uint8Array | Promise<Uint8Array>;
  /**
   * Reads a case as the page or its worker does, and uses what was read.
   * @returns what it says against the input; empty: it is taken as it is
   * @throws PlainError or ProblemError where it is refused. Anything else is a mistake, of the reader or of what it read
   */
  readonly read: (input: Uint8Array) => Promise<readonly Said[]>;
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
/** JSON, also of what has none: that is null. */
export const jsonOf = (value: unknown): string => JSON.stringify([value]).slice(1, -1);
/** As files are read: what is no UTF-8 becomes U+FFFD. */
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
