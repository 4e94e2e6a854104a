/** @file The last things that happened, for error reports: what was announced, and what the worker told. No prompts, captions or pictures. */
import type { RunEvent } from '#workers/protocol.ts';

/** So many are kept. */
const KEPT = 40;

export interface LoggedEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly words: string;
}

/** One event in plain words; `kind` says which events take each other's place while they follow one another. */
function inWords(event: RunEvent): { readonly kind: string; readonly words: string } {
  switch (event.kind) {
    case 'phase':
      return { kind: `phase ${event.phase}`, words: `phase: ${event.phase}${share(event)}` };
    case 'steps': {
      const last = event.records.at(-1);
      return {
        kind: 'steps',
        words: last
          ? `step ${last.step + 1}: loss ${last.loss.toPrecision(4)}, gradient norm ${last.gradNorm.toPrecision(3)}, ${last.ms.toFixed(0)} ms${last.skipped ? ', left out' : ''}`
          : 'no step',
      };
    }
    case 'samples':
      return { kind: 'samples', words: `samples after step ${event.step}: ${event.prompts.length}` };
    case 'evaluation': {
      const { step, heldoutLoss } = event.evaluation;
      return {
        kind: 'evaluation',
        words: `judged after step ${step}: held-out loss ${heldoutLoss?.toPrecision(4) ?? 'none'}`,
      };
    }
    case 'checkpoint':
      return { kind: 'checkpoint', words: `saved after step ${event.step}: ${event.bytes} bytes` };
    case 'unsaved':
      return {
        kind: 'unsaved',
        words: `not saved after step ${event.step}: ${event.problem.message}`,
      };
    case 'angles':
      return { kind: 'angles', words: `angles after step ${event.step}` };
    case 'restored':
      return { kind: 'restored', words: `goes on from step ${event.step}` };
    case 'rate':
      return { kind: 'rate', words: `learning rate × ${event.factor} from step ${event.step} on` };
    case 'warning':
      return { kind: 'warning', words: `warning: ${event.problem.code}: ${event.problem.message}` };
  }
}

const share = ({ done, total }: { done?: number; total?: number }): string =>
  done === undefined || total === undefined ? '' : ` (${done} of ${total})`;

export class EventLog {
  #events: LoggedEvent[] = [];
  #kind = '';

  get events(): readonly LoggedEvent[] {
    return this.#events;
  }

  note(words: string): void {
    this.#kind = '';
    this.#put(words);
  }

  /** Progress and steps in a row leave the last of them. */
  accept(event: RunEvent): void {
    // They come every few seconds and tell nothing of what went wrong.
    if (event.kind === 'angles') return;
    const { kind, words } = inWords(event);
    if (kind === this.#kind && (event.kind === 'phase' || event.kind === 'steps')) this.#events.pop();
    this.#kind = kind;
    this.#put(words);
  }

  #put(words: string): void {
    this.#events = [...this.#events.slice(1 - KEPT), { at: Date.now(), words }];
  }
}
