/** @file A run while nobody looks: how it slowed down, a notification at its end, and the end in the tab's title until someone comes back. */
import type { Problem, RunEvent } from '#workers/protocol.ts';
import { Notice } from '../page/notice.svelte.ts';
import { HiddenTime } from './hidden.ts';

/** What is needed of the document. */
export type Sight = Pick<Document, 'hidden' | 'addEventListener'>;

export class Away {
  readonly notice: Notice;
  readonly #sight: Sight;
  readonly #tell: (remark: Problem) => void;
  readonly #now: () => number;
  readonly #time = new HiddenTime();
  #going = false;
  #ended = $state('');

  /** @param tell hears, at the return, what there is to say */
  constructor(
    tell: (remark: Problem) => void,
    sight: Sight = document,
    notice = new Notice(),
    now = (): number => performance.now(),
  ) {
    this.#tell = tell;
    this.#sight = sight;
    this.notice = notice;
    this.#now = now;
    sight.addEventListener('visibilitychange', () => this.#changed());
  }

  /** How the run ended while nobody looked, in a word; '' once someone is back. */
  get ended(): string {
    return this.#ended;
  }

  begin(): void {
    this.#going = true;
    this.#ended = '';
    this.#time.begin(this.#sight.hidden, this.#now());
  }

  hear(event: RunEvent): void {
    if (event.kind === 'steps') this.#time.note(event.records.map(({ ms }) => ms));
  }

  /** @param word for the title; @param text for a notification */
  end(word: string, text: string): void {
    if (!this.#going) return;
    this.#going = false;
    this.#say();
    if (this.#sight.hidden) this.#ended = word;
    this.notice.end(text, this.#sight.hidden);
  }

  #changed(): void {
    if (!this.#sight.hidden) {
      this.#ended = '';
      this.#say();
    } else if (this.#going) this.#time.hide(this.#now());
  }

  #say(): void {
    const remark = this.#time.show(this.#now());
    if (remark) this.#tell(remark);
  }
}
