/** @file Texts with questions that are longer than a sequence: parted so that no answer is learned without its question. */
import type { TaskProblem } from '#src/tasks/types.ts';

/** Tokens that belong together, and which of them are to be learned. */
export interface Segment {
  readonly ids: readonly number[];
  readonly counted: readonly boolean[];
}

/** A question with its answer, as places in the tokens: the question begins at `from`, the answer at `answer` and ends before `to`. */
export interface Turn {
  readonly from: number;
  readonly answer: number;
  readonly to: number;
}

export interface Asked extends Segment {
  readonly turns: readonly Turn[];
  /** The first token only says that a text begins: it stays, whatever is cut. */
  readonly begins: boolean;
}

export interface Parted {
  readonly segments: readonly Segment[];
  /** Questions that lost their beginning, and answers that lost their end. */
  readonly questions: number;
  readonly answers: number;
}

/** Runs of answers with what stands before each. What comes after the last is a turn without an answer where it is learned, too. */
export function turnsOf(answers: readonly boolean[], counted: readonly boolean[]): Turn[] {
  const turns: Turn[] = [];
  let from = 0;
  for (let i = 0; i < answers.length;) {
    if (!answers[i]) {
      i++;
      continue;
    }
    const answer = i;
    while (i < answers.length && answers[i]) i++;
    turns.push({ from, answer, to: i });
    from = i;
  }
  if (counted.lastIndexOf(true) >= from) turns.push({ from, answer: answers.length, to: answers.length });
  return turns;
}

/**
 * Segments of at most `room` tokens. Turns stay whole as far as they can and see as much before them as fits, each learned once. Of a turn that is
 * longer by itself the question is cut from the left, to half the room at most; what the answer then still has too many is not learned.
 */
export function parted(text: Asked, room: number): Parted {
  if (text.ids.length <= room) return { segments: [text], questions: 0, answers: 0 };
  const segments: Segment[] = [];
  let [questions, answers] = [0, 0];
  /** Tokens up to `to`, as many as fit, learned from `learn` on. */
  const add = (from: number, to: number, learn: number): void => {
    const head = text.begins && from > 0 ? 1 : 0;
    const start = Math.max(from, to - room + head);
    const places = Array.from({ length: head + to - start }, (_, i) => (i < head ? i : start + i - head));
    segments.push({
      ids: places.map((i) => text.ids[i]!),
      counted: places.map((i) => text.counted[i]! && i >= learn),
    });
  };
  let group: Turn[] = [];
  const flush = (): void => {
    const [first, last] = [group[0], group.at(-1)];
    if (first && last) add(Math.max(0, last.to - room), last.to, first.from);
    group = [];
  };
  const size = (from: number, to: number): number => to - from + (text.begins && from > 0 ? 1 : 0);
  for (const turn of text.turns) {
    if (group.length > 0 && size(group[0]!.from, turn.to) > room) flush();
    if (size(turn.from, turn.to) <= room) {
      group.push(turn);
      continue;
    }
    const [question, answer] = [turn.answer - turn.from, turn.to - turn.answer];
    const whole = turn.from === 0 && question <= Math.floor(room / 2);
    const own = room - (text.begins && !whole ? 1 : 0);
    const keptQuestion = Math.min(question, Math.max(own - answer, Math.floor(own / 2)));
    const keptAnswer = Math.min(answer, own - keptQuestion);
    if (keptQuestion < question) questions++;
    if (keptAnswer < answer) answers++;
    add(turn.answer - keptQuestion, turn.answer + keptAnswer, turn.from);
  }
  flush();
  return { segments, questions, answers };
}

/**
 * What was cut, once for each kind.
 * @param texts all that were looked at, with their names
 */
export function partedProblems(
  texts: readonly (Parted & { readonly name: string })[],
  length: number,
): TaskProblem[] {
  const cure = 'Set a greater length, or shorten the texts.';
  const told = (
    which: readonly { readonly name: string }[],
    words: (count: string) => string,
  ): TaskProblem[] =>
    which.length === 0
      ? []
      : [
          {
            severity: 'warning',
            item: which[0]!.name,
            message: `${words(`${which.length} of ${texts.length} ${texts.length === 1 ? 'text' : 'texts'} with answers`)} (first: ${which[0]!.name}).`,
            cure,
          },
        ];
  const row = `a sequence of ${length} tokens`;
  return [
    ...told(
      texts.filter((t) => t.questions > 0),
      (n) => `In ${n} a question does not fit ${row} with its answer: the question is cut from the left`,
    ),
    ...told(
      texts.filter((t) => t.answers > 0),
      (n) => `In ${n} an answer is too long for ${row}: its end is not learned`,
    ),
    ...told(
      texts.filter((t) => t.segments.length > 1),
      (n) =>
        `${n} go over more than one sequence of ${length} tokens: each answer is learned with what fits before it`,
    ),
  ];
}
