/** @file A tree of a regular expression as steps that a machine takes, forwards, or backwards in a look behind. */
import { Reason } from '../refusals.ts';
import { CharacterSet } from './characters.ts';
import type { Tree } from './tree.ts';

/** Steps with two numbers each. What a number means stands beside the step. */
export const Op = {
  /** a: set */
  character: 0,
  /** Goes on at a, and if that fails at b. */
  split: 1,
  /** a: where */
  jump: 2,
  /** As many characters of the set a as there are, then fewer. */
  greedy: 3,
  /** Several ways meet here. */
  join: 4,
  /** a: block; b: 1 where it must fail */
  look: 5,
  /** a: block */
  atomic: 6,
  /** a: Edge; b: set of letters of words, or 1 where lines count */
  edge: 7,
  /** A round of a repetition begins whose body may match nothing; a: how many such stand around it. */
  enter: 8,
  /** It ends: a round that took nothing fails. */
  progress: 9,
  match: 10,
} as const;

export const Edge = { begin: 0, end: 1, word: 2, within: 3 } as const;

/** The whole, a look around or an atomic group: what is matched in one go. */
export interface Block {
  readonly backwards: boolean;
  /** Three numbers a step: Op, a, b. */
  readonly steps: Int32Array;
  /** Number of each step among those that are remembered; −1: it is not. */
  readonly remembered: Int32Array;
  /** Numbers of remembered states at one place of the text. */
  readonly states: number;
  /** Most repetitions around each other whose bodies may match nothing. */
  readonly depth: number;
}

export interface Program {
  readonly blocks: readonly Block[];
  readonly sets: readonly CharacterSet[];
  /** Steps of all blocks. */
  readonly size: number;
}

/** @throws Reason where repetitions, written out, take more than `most` steps */
export function compileRegex(tree: Tree, most: number): Program {
  const blocks: Block[] = [];
  const sets: CharacterSet[] = [];
  const known = new Map<string, number>();
  let size = 0;
  const set = (source: string, flags: string): number => {
    const key = `${flags}/${source}`;
    let id = known.get(key);
    if (id === undefined) known.set(key, (id = sets.push(new CharacterSet(source, flags)) - 1));
    return id;
  };

  const block = (body: Tree, backwards: boolean): number => {
    const steps: number[] = [];
    const marked: number[] = [];
    let [depth, deepest] = [0, 0];
    const grow = (): void => {
      if (++size > most)
        throw new Reason(
          `comes to more than ${most} steps when its repetitions such as {100} are written out`,
          { cure: 'Make these numbers smaller.' },
        );
    };
    const emit = (op: number, a = 0, b = 0): number => {
      grow();
      if (op === Op.split || op === Op.greedy || op === Op.join) marked.push(steps.length / 3);
      return steps.push(op, a, b) / 3 - 1;
    };
    const here = (): number => steps.length / 3;

    const round = (tree: Tree): void => {
      if (!mayBeNothing(tree)) {
        add(tree);
        return;
      }
      emit(Op.enter, depth);
      deepest = Math.max(deepest, ++depth);
      add(tree);
      emit(Op.progress, --depth);
    };

    /** A step that tries what follows it first, or last where it is lazy; the other way is set when it is known. */
    const branch = (lazy: boolean): ((other: number) => void) => {
      const at = emit(Op.split);
      steps[at * 3 + (lazy ? 2 : 1)] = at + 1;
      return (other) => {
        steps[at * 3 + (lazy ? 1 : 2)] = other;
      };
    };

    const repeat = ({ body: inner, least, most: limit, lazy }: Tree & { kind: 'repeat' }): void => {
      const single = inner.kind === 'character' && !lazy;
      const loops = limit === Infinity && least > 0 && !single && !mayBeNothing(inner);
      for (let i = loops ? 1 : 0; i < least; i++) {
        grow();
        add(inner);
      }
      if (loops) {
        const begin = here();
        add(inner);
        const at = emit(Op.split);
        steps[at * 3 + 1] = lazy ? at + 1 : begin;
        steps[at * 3 + 2] = lazy ? begin : at + 1;
      } else if (limit === Infinity && single) emit(Op.greedy, set(inner.source, inner.flags));
      else if (limit === Infinity) {
        const begin = here();
        const leave = branch(lazy);
        round(inner);
        emit(Op.jump, begin);
        leave(here());
      } else {
        const leaves: ((other: number) => void)[] = [];
        for (let i = least; i < limit; i++) {
          leaves.push(branch(lazy));
          round(inner);
        }
        for (const leave of leaves) leave(here());
        if (leaves.length > 0) emit(Op.join);
      }
    };

    const add = (tree: Tree): void => {
      switch (tree.kind) {
        case 'character':
          emit(Op.character, set(tree.source, tree.flags));
          break;
        case 'sequence':
          for (const item of backwards ? tree.items.toReversed() : tree.items) add(item);
          break;
        case 'choice': {
          const ends: number[] = [];
          tree.items.forEach((item, i) => {
            const last = i === tree.items.length - 1;
            const leave = last ? null : branch(false);
            add(item);
            if (!last) ends.push(emit(Op.jump));
            leave?.(here());
          });
          for (const end of ends) steps[end * 3 + 1] = here();
          emit(Op.join);
          break;
        }
        case 'repeat':
          repeat(tree);
          break;
        case 'look':
          emit(Op.look, block(tree.body, tree.behind), tree.negated ? 1 : 0);
          break;
        case 'atomic':
          if (backwards)
            throw new Reason('has a group that gives nothing back in a look behind', {
              cure: 'Leave it out.',
            });
          emit(Op.atomic, block(tree.body, false));
          break;
        case 'edge':
          emit(
            Op.edge,
            Edge[tree.edge],
            tree.edge === 'word' || tree.edge === 'within'
              ? set('\\w', tree.flags)
              : Number(tree.flags.includes('m')),
          );
      }
    };

    const id = blocks.push(undefined as unknown as Block) - 1;
    add(body);
    emit(Op.match);
    const remembered = new Int32Array(here()).fill(-1);
    marked.forEach((at, i) => (remembered[at] = i));
    blocks[id] = {
      backwards,
      steps: Int32Array.from(steps),
      remembered,
      states: marked.length * (deepest + 1),
      depth: deepest,
    };
    return id;
  };
  block(tree, false);
  return { blocks, sets, size };
}

function mayBeNothing(tree: Tree): boolean {
  switch (tree.kind) {
    case 'character':
      return false;
    case 'sequence':
      return tree.items.every(mayBeNothing);
    case 'choice':
      return tree.items.some(mayBeNothing);
    case 'repeat':
      return tree.least === 0 || mayBeNothing(tree.body);
    case 'atomic':
      return mayBeNothing(tree.body);
    case 'look':
    case 'edge':
      return true;
  }
}
