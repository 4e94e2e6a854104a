/** @file The line to the training worker: opened when first needed, opened anew after a crash, and once more where the runtime does not start. */
import { Lifeline } from '#src/platform/lifeline.ts';
import type { StartOptions, StartSign } from '#workers/protocol.ts';
import { restartedNote, StartWatch, StuckStart } from './startWatch.ts';

/** An open line. */
export interface Line<Api> {
  readonly api: Api;
  /** Rejects when the worker dies, since comlink's own promise would then never settle. */
  readonly died: Promise<never>;
  readonly close: () => void;
  /** Resolves when the worker is gone, once the line is closed: until then it has its memory, and holds its run. Absent: at once. */
  readonly gone?: () => Promise<void>;
}

/** Opens a line whose runtime is started so, and tells how that goes. */
export type OpenLine<Api> = (options: StartOptions, tell: (sign: StartSign) => void) => Promise<Line<Api>>;

interface Watched<Api> extends Line<Api> {
  /** Its own end, or that it was given up. */
  readonly life: Lifeline;
  /** How the runtime was started. */
  readonly options: StartOptions;
  /** Questions that are not answered yet. */
  open: number;
  /** It answers what it was asked, and is asked nothing more. */
  retired: boolean;
}

/** A worker was ended for the sake of some of what it was asked. */
class GivenUp extends Error {
  override readonly name = 'GivenUp';
  readonly reason: Error;
  /** Number of the last question that it was ended for. */
  readonly last: number;

  constructor(reason: Error, last: number) {
    super(reason.message);
    this.reason = reason;
    this.last = last;
  }
}

export class Connection<Api> {
  readonly #open: OpenLine<Api>;
  readonly #newWatch: (onStuck: (threads: number) => void) => StartWatch;
  #line: Promise<Watched<Api>> | null = null;
  /** The worker before. */
  #leaving: Promise<void> = Promise.resolve();
  /** Fails all that the open line was asked. */
  #giveUp: (cause: Error) => void = () => undefined;
  /** After a start that did not answer: one thread. */
  #start: StartOptions = {};
  #asked = 0;

  constructor(
    open: OpenLine<Api>,
    newWatch: (onStuck: (threads: number) => void) => StartWatch = (onStuck) => new StartWatch(onStuck),
  ) {
    this.#open = open;
    this.#newWatch = newWatch;
  }

  get isOpen(): boolean {
    return this.#line !== null;
  }

  /** How many questions were asked so far: the number of the last one. */
  get asked(): number {
    return this.#asked;
  }

  /** Asks the worker. Where its runtime does not start, a second worker is asked the same, with one thread; `note` says so. */
  call<T>(use: (api: Api, note: string) => Promise<T>): Promise<T> {
    return this.#ask(++this.#asked, use);
  }

  async #ask<T>(number: number, use: (api: Api, note: string) => Promise<T>): Promise<T> {
    const ask = async (line: Watched<Api>): Promise<T> => {
      line.open++;
      try {
        return await line.life.hold(use(line.api, line.options.note ?? ''));
      } finally {
        if (--line.open === 0 && line.retired) line.close();
      }
    };
    const line = await this.#connected();
    try {
      return await ask(line);
    } catch (cause) {
      if (cause instanceof GivenUp) {
        const { last, reason } = cause;
        if (number > last) return this.#ask(number, use);
        throw reason;
      }
      if (!(cause instanceof StuckStart) || line.options.note !== undefined) throw cause;
      return ask(await this.#connected());
    }
  }

  /**
   * Ends the worker at once. What it was asked is not answered any more, or fails with the cause.
   * @param last what was asked after the question of that number is asked the next worker
   */
  close(cause?: Error, last = Infinity): void {
    if (cause) this.#giveUp(new GivenUp(cause, last));
    void this.#line?.then((line) => this.#end(line));
    this.#line = null;
  }

  #end(line: Line<Api>): void {
    line.close();
    if (line.gone) this.#leaving = line.gone();
  }

  #connected(): Promise<Watched<Api>> {
    if (this.#line) return this.#line;
    const line = this.#connect(this.#start);
    this.#line = line;
    line.catch(() => {
      if (this.#line === line) this.#line = null;
    });
    return line;
  }

  async #connect(options: StartOptions): Promise<Watched<Api>> {
    let giveUp: (cause: Error) => void = () => undefined;
    const stuck = new Promise<never>((_resolve, reject) => {
      giveUp = reject;
    });
    this.#giveUp = giveUp;
    const watch = this.#newWatch((threads) => giveUp(new StuckStart(threads)));
    let opened: Watched<Api> | null = null;
    stuck.catch(() => undefined);
    await this.#leaving;
    const line = await this.#open(options, (sign) => {
      watch.hear(sign);
      if (sign.kind === 'failed' && opened) this.#retire(opened);
    });
    const died = Promise.race([line.died, stuck]);
    died.catch((cause: unknown) => {
      watch.end();
      this.#end(line);
      // Another one may stand already, where this one was closed.
      if (this.#giveUp === giveUp) this.#line = null;
      if (cause instanceof StuckStart) this.#start = { threads: 1, note: restartedNote(cause.threads) };
    });
    opened = { ...line, life: new Lifeline(died), options, open: 0, retired: false };
    return opened;
  }

  /** A runtime that failed to start stays so for as long as its worker lives: the next question goes to another one. */
  #retire(line: Watched<Api>): void {
    line.retired = true;
    this.#line = null;
    if (line.open === 0) line.close();
  }
}
