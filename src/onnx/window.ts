/** @file A moving window over a file that is read in ranges, and a growing array of bytes. */
import { ModelError } from './model.ts';
import { Malformed, Wire, writeVarint } from './wire.ts';

/** Behind a jump little is read, then more and more: the next jump may be near. */
const FIRST_READ = 4096;
const LARGEST_READ = 2 ** 20;

/** Reads a file mostly forwards. */
export class FileWindow {
  readonly size: number;
  readonly #read: (offset: number, length: number) => Promise<Uint8Array>;
  readonly #signal: AbortSignal | undefined;
  #start = 0;
  #bytes = new Uint8Array(0);
  #next = FIRST_READ;

  constructor(
    read: (offset: number, length: number) => Promise<Uint8Array>,
    size: number,
    signal?: AbortSignal,
  ) {
    this.#read = read;
    this.size = size;
    this.#signal = signal;
  }

  /** A view of `length` bytes at `at`, until the next call. Throws Malformed where the file ends before. */
  async take(at: number, length: number): Promise<Uint8Array> {
    if (at + length > this.size) throw new Malformed('beyond the end');
    const end = this.#start + this.#bytes.length;
    if (at < this.#start || at + length > end) {
      this.#next = at >= this.#start && at <= end ? Math.min(2 * this.#next, LARGEST_READ) : FIRST_READ;
      await this.#load(at, Math.max(length, this.#next));
    }
    return this.#bytes.subarray(at - this.#start, at - this.#start + length);
  }

  /** Appends a stretch of the file to `out`. */
  async copy(at: number, length: number, out: ByteSink): Promise<void> {
    for (let done = 0; done < length;) {
      const part = Math.min(length - done, LARGEST_READ);
      out.append(await this.take(at + done, part));
      done += part;
    }
  }

  async #load(at: number, length: number): Promise<void> {
    this.#signal?.throwIfAborted();
    const wanted = Math.min(length, this.size - at);
    const bytes = await this.#read(at, wanted);
    if (bytes.length !== wanted)
      throw new ModelError(
        `The model file gave ${bytes.length} bytes at ${at} instead of ${wanted}: it was changed while it was read. Open it again.`,
      );
    this.#start = at;
    this.#bytes = bytes as Uint8Array<ArrayBuffer>;
  }
}

/** An array of bytes that grows. */
export class ByteSink {
  readonly #most: number;
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** @param most bytes that it takes */
  constructor(most: number) {
    this.#most = most;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room for so many bytes more. Throws ModelError where that is too much. */
  reserve(more: number): void {
    const wanted = this.#length + more;
    if (wanted > this.#most)
      throw new ModelError(
        `The model keeps more than ${Math.round(this.#most / 2 ** 20)} MB in constants of its nodes, or is damaged. Export it again with its weights stored as such (export_params=True).`,
      );
    if (wanted <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.min(this.#most, Math.max(wanted, 2 * this.#bytes.length)));
    larger.set(this.bytes());
    this.#bytes = larger;
  }

  append(bytes: ArrayLike<number>): void {
    this.reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends a length-delimited field. */
  field(number: number, bytes: Uint8Array): void {
    this.append(writeVarint(number * 8 + Wire.bytes));
    this.append(writeVarint(bytes.length));
    this.append(bytes);
  }
}
