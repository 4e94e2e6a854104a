/** @file What screen readers hear, and what error reports will remember of it. */
import type { EventLog } from './eventLog.ts';

export class Voice {
  readonly #log: EventLog;
  #text = $state('');

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** The last thing said, for the status line. */
  get text(): string {
    return this.#text;
  }

  say(text: string): void {
    this.#text = text;
    this.#log.note(text);
  }
}
