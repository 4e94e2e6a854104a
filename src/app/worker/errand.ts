/** @file A worker that is there only as long as something is asked of it: that which reaches other hosts. */
import type { Line } from './connection.ts';

export class Errand<Api> {
  readonly #open: () => Promise<Line<Api>>;
  #line: Promise<Line<Api>> | null = null;
  /** What is asked and not answered yet. */
  #asked = 0;

  constructor(open: () => Promise<Line<Api>>) {
    this.#open = open;
  }

  get isOpen(): boolean {
    return this.#line !== null;
  }

  /** Asks the worker, which starts for the first question and ends with the last answer. Rejects where it dies. */
  async call<T>(use: (api: Api) => Promise<T>): Promise<T> {
    this.#asked++;
    this.#line ??= this.#open();
    const mine = this.#line;
    try {
      const { api, died } = await mine;
      return await Promise.race([use(api), died]);
    } catch (cause) {
      // Whatever else was asked of it has no answer either.
      this.#end(mine);
      throw cause;
    } finally {
      if (--this.#asked === 0) this.close();
    }
  }

  /** Ends the worker at once. What it was asked is not answered any more. */
  close(): void {
    if (this.#line) this.#end(this.#line);
  }

  #end(line: Promise<Line<Api>>): void {
    if (this.#line !== line) return;
    this.#line = null;
    void line.then(
      ({ close }) => close(),
      () => undefined,
    );
  }
}
