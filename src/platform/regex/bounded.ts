/** @file Regular expressions from outside (links, jobs, files of models): JavaScript's matches, within a number of steps. */
import { Reason } from '../refusals.ts';
import { Machine, type Steps } from './machine.ts';
import { compileRegex, type Program } from './program.ts';
import { readRegex, type Tree } from './tree.ts';

export { type Steps, StepsSpent } from './machine.ts';

/** Steps that an expression may come to, repetitions written out. */
const LARGEST = 4000;

export class BoundedRegex {
  readonly tree: Tree;
  readonly #program: Program;
  readonly #unicode: boolean;

  /**
   * @param source as `new RegExp` takes it, without references back
   * @param flags of JavaScript's: i, m, s, u
   * @throws Reason that goes on from "it" ("refers back to a group …"), with a cure, for what is no regular expression, too
   */
  constructor(
    readonly source: string,
    flags = '',
  ) {
    try {
      new RegExp(source, flags);
    } catch (error) {
      const why = error instanceof SyntaxError ? error.message.replace(/^.*: /s, '') : '';
      throw new Reason(`is no regular expression${why && ` (${why})`}`, { cure: 'Correct it.' });
    }
    this.#unicode = flags.includes('u');
    this.tree = readRegex(source, flags);
    this.#program = compileRegex(this.tree, LARGEST);
  }

  /**
   * Whether it matches anywhere in a text.
   * @param steps how many it may take; lowered by those that it took
   * @throws StepsSpent
   */
  test(text: string, steps: Steps): boolean {
    return this.#machine(text, steps).find(0) !== null;
  }

  /**
   * From and to of each match, as `matchAll` finds them.
   * @throws StepsSpent
   */
  *matches(text: string, steps: Steps): Generator<readonly [number, number]> {
    const machine = this.#machine(text, steps);
    for (let from = 0; from <= text.length;) {
      const found = machine.find(from);
      if (!found) return;
      yield found;
      const [begin, end] = found;
      const wide = this.#unicode && (text.codePointAt(end) ?? 0) > 0xffff;
      from = end > begin ? end : end + (wide ? 2 : 1);
    }
  }

  #machine(text: string, steps: Steps): Machine {
    return new Machine(this.#program, text, this.#unicode, steps);
  }
}
