/**
 * @file Runs the program of a regular expression on a text, as JavaScript would, in time linear in the text: no state that has failed at a
 * place is tried there again (Davis, Servant and Lee, “Using Selective Memoization to Defeat Regular Expression Denial of Service”, 2021).
 */
import { Reason } from '../refusals.ts';
import { type Block, Edge, Op, type Program } from './program.ts';

/** How many steps may still be taken; `each` is what every place of a text adds when it is reached, up to `most`. */
export interface Steps {
  left: number;
  readonly each?: number;
  readonly most?: number;
}

/** Thrown in the midst of a text: no answer is to be had with the steps that were left. */
export class StepsSpent extends Reason {
  constructor() {
    super('takes more steps than any expression should');
  }
}

const LINE_END = /[\n\r\u2028\u2029]/;

/** Places of a text whose states are kept together. */
const ROW_BITS = 6;
const ROWS = 1 << ROW_BITS;

/** What failed where in one block. A stamp says so, so that all is forgotten by taking the next stamp. */
class Memory {
  stamp = 1;
  readonly #pages = new Map<number, Uint32Array>();
  #page: Uint32Array | undefined;
  #at = -1;

  constructor(readonly states: number) {}

  /** Whether a state was there before; from now on it was. */
  been(place: number, state: number): boolean {
    const page = place >> ROW_BITS;
    if (page !== this.#at) {
      this.#at = page;
      this.#page = this.#pages.get(page);
      if (!this.#page) this.#pages.set(page, (this.#page = new Uint32Array(ROWS * this.states)));
    }
    const i = (place & (ROWS - 1)) * this.states + state;
    if (this.#page![i] === this.stamp) return true;
    this.#page![i] = this.stamp;
    return false;
  }

  /** States of one place. */
  forget(place: number): void {
    const from = (place & (ROWS - 1)) * this.states;
    this.#pages.get(place >> ROW_BITS)?.fill(0, from, from + this.states);
  }

  /** Whatever lies before a place, roughly. */
  drop(place: number): void {
    const first = place >> ROW_BITS;
    for (const page of this.#pages.keys()) {
      if (page >= first) break;
      this.#pages.delete(page);
    }
  }
}

/** A program on one text. Places are asked for in order. */
export class Machine {
  readonly #memories: readonly Memory[];
  /** What was left to try: step, place, how far back it may go, level. */
  readonly #stack: number[] = [];
  /** Last answer of each block but the first: looks around are asked for one place several times. */
  readonly #asked: Int32Array;
  readonly #answers: Int32Array;
  #reached = 0;

  constructor(
    readonly program: Program,
    readonly text: string,
    readonly unicode: boolean,
    readonly steps: Steps,
  ) {
    this.#memories = program.blocks.map(({ states }) => new Memory(states));
    this.#asked = new Int32Array(program.blocks.length).fill(-1);
    this.#answers = new Int32Array(program.blocks.length);
  }

  /**
   * The first match that begins at `from` or later, as [begin, end]; null: there is none.
   * @throws StepsSpent
   */
  find(from: number): readonly [number, number] | null {
    const { text } = this;
    for (let begin = from; begin <= text.length; begin += this.#width(begin)) {
      this.#earn(begin);
      const end = this.#run(0, begin);
      if (end < 0) continue;
      // States on the way of a match have not failed: those at its end are where the next one may begin.
      this.#memories[0]!.forget(end);
      for (const memory of this.#memories) memory.drop(begin);
      return [begin, end];
    }
    return null;
  }

  #earn(place: number): void {
    const { left, each = 0, most = Infinity } = this.steps;
    this.steps.left = Math.max(left, Math.min(most, left + each * (place - this.#reached)));
    this.#reached = place;
  }

  /** Units of the character at a place, 1 at the text's end. */
  #width(place: number): number {
    return this.unicode && (this.text.codePointAt(place) ?? 0) > 0xffff ? 2 : 1;
  }

  #before(place: number): number {
    const { text } = this;
    return place > 1 &&
      this.unicode &&
      (text.charCodeAt(place - 1) & 0xfc00) === 0xdc00 &&
      (text.charCodeAt(place - 2) & 0xfc00) === 0xd800
      ? place - 2
      : place - 1;
  }

  /** The place behind a character of a set; −1: there is none. */
  #taken(place: number, set: number, backwards: boolean): number {
    const { text } = this;
    const other = backwards ? this.#before(place) : place;
    if (other < 0 || other >= text.length) return -1;
    const code = this.unicode ? text.codePointAt(other)! : text.charCodeAt(other);
    if (!this.program.sets[set]!.has(code)) return -1;
    return backwards ? other : other + (code > 0xffff ? 2 : 1);
  }

  #asks(block: number, place: number): number {
    if (this.#asked[block] === place) return this.#answers[block]!;
    const answer = this.#run(block, place);
    // What led to the match has not failed.
    if (answer >= 0) this.#memories[block]!.stamp++;
    this.#asked[block] = place;
    this.#answers[block] = answer;
    return answer;
  }

  #edge(place: number, edge: number, b: number): boolean {
    const { text } = this;
    if (edge === Edge.begin) return place === 0 || (b === 1 && LINE_END.test(text.charAt(place - 1)));
    if (edge === Edge.end) return place === text.length || (b === 1 && LINE_END.test(text.charAt(place)));
    const inside = this.#taken(place, b, false) >= 0 !== this.#taken(place, b, true) >= 0;
    return inside === (edge === Edge.word);
  }

  /** Where a match of a block that begins at a place ends, the first in JavaScript's order; −1: there is none. */
  #run(id: number, from: number): number {
    const block: Block = this.program.blocks[id]!;
    const { backwards, steps, remembered } = block;
    const rounds = block.depth + 1;
    const memory = this.#memories[id]!;
    const stack = this.#stack;
    const base = stack.length;
    let at = 0;
    let place = from;
    // How many of the repetitions around have taken something in their present round, from the outermost on.
    let level = 0;
    for (;;) {
      let failed = false;
      if (--this.steps.left < 0) throw new StepsSpent();
      const op = steps[at * 3]!;
      const a = steps[at * 3 + 1]!;
      const b = steps[at * 3 + 2]!;
      switch (op) {
        case Op.character: {
          const next = this.#taken(place, a, backwards);
          if (next < 0) failed = true;
          else {
            place = next;
            level = block.depth;
            at++;
          }
          break;
        }
        case Op.split:
          if (memory.been(place, remembered[at]! * rounds + level)) failed = true;
          else if (steps[a * 3] === Op.character && this.#taken(place, steps[a * 3 + 1]!, backwards) < 0)
            at = b;
          else {
            stack.push(b, place, -1, level);
            at = a;
          }
          break;
        case Op.jump:
          at = a;
          break;
        case Op.greedy: {
          const state = remembered[at]! * rounds;
          if (memory.been(place, state + level)) {
            failed = true;
            break;
          }
          let last = place;
          for (;;) {
            const next = this.#taken(last, a, backwards);
            if (next < 0) break;
            if (--this.steps.left < 0) throw new StepsSpent();
            // Where it was before, it went on from there, and failed.
            if (memory.been(next, state + block.depth)) break;
            last = next;
          }
          if (last !== place) {
            stack.push(at, last, place, level);
            level = block.depth;
          }
          place = last;
          at++;
          break;
        }
        case Op.join:
          if (memory.been(place, remembered[at]! * rounds + level)) failed = true;
          else at++;
          break;
        case Op.look:
          if (this.#asks(a, place) >= 0 === (b === 0)) at++;
          else failed = true;
          break;
        case Op.atomic: {
          const end = this.#asks(a, place);
          if (end < 0) failed = true;
          else {
            if (end !== place) level = block.depth;
            place = end;
            at++;
          }
          break;
        }
        case Op.edge:
          if (this.#edge(place, a, b)) at++;
          else failed = true;
          break;
        case Op.enter:
          level = Math.min(level, a);
          at++;
          break;
        case Op.progress:
          if (level > a) {
            level = a;
            at++;
          } else failed = true;
          break;
        default:
          stack.length = base;
          return place;
      }
      if (!failed) continue;
      if (stack.length === base) return -1;
      const kept = stack.pop()!;
      const back = stack.pop()!;
      const to = stack.pop()!;
      at = stack.pop()!;
      level = kept;
      place = to;
      if (back >= 0) {
        // One character fewer.
        place = backwards ? to + this.#width(to) : this.#before(to);
        if (place === back) level = kept;
        else {
          stack.push(at, place, back, kept);
          level = block.depth;
        }
        at++;
      }
    }
  }
}
