/** @file Texts with questions, longer than a row: whatever their shape, no answer is learned without its question. */
import { describe, expect, it } from 'vitest';
import { dice } from '#src/tasks/testing/fuzz.ts';
import { type Marked, rowsOf } from './sequences.ts';
import { parted, partedProblems, turnsOf } from './windows.ts';

/** A text of questions and answers of the given lengths; token k is number k of it, from `first` on. */
function chat(parts: readonly (readonly [number, number])[], first = 1, begins = false, all = false): Marked {
  const answers = [
    ...(begins ? [false] : []),
    ...parts.flatMap(([q, a]) => [...Array<boolean>(q).fill(false), ...Array<boolean>(a).fill(true)]),
  ];
  const counted = all ? answers.map((_, i) => i > 0) : answers;
  return {
    ids: answers.map((_, i) => first + i),
    counted,
    turns: turnsOf(answers, counted),
    begins,
    joined: [],
  };
}
const asked = (text: Marked) => ({ ...text, turns: text.turns! });

describe('a text with questions', () => {
  it('stays whole where it fits', () => {
    const text = asked(chat([[3, 2]]));
    expect(parted(text, 5)).toEqual({ segments: [text], questions: 0, answers: 0 });
  });

  it('loses the beginning of a long question', () => {
    const { segments, questions, answers } = parted(asked(chat([[48, 3]])), 17);
    expect(segments[0]!.ids).toEqual(Array.from({ length: 17 }, (_, i) => 35 + i));
    expect(segments[0]!.counted.map(Number)).toEqual([...Array<number>(14).fill(0), 1, 1, 1]);
    expect([segments.length, questions, answers]).toEqual([1, 1, 0]);
  });

  it('loses the end of a long answer, and keeps its beginning and the token that begins texts', () => {
    const { segments, questions, answers } = parted(asked(chat([[2, 20]], 1, true)), 9);
    expect(segments[0]!.ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([segments.length, questions, answers]).toEqual([1, 0, 1]);
  });

  it('of several turns sees as much before each answer as fits, and learns each once', () => {
    const { segments } = parted(
      asked(
        chat([
          [2, 2],
          [2, 2],
          [2, 2],
        ]),
      ),
      8,
    );
    expect(segments.map((s) => [s.ids[0], s.ids.at(-1), s.counted.filter(Boolean).length])).toEqual([
      [1, 8, 4],
      [5, 12, 2],
    ]);
  });

  it('is told of once for each kind', () => {
    const texts = [
      [[48, 3]],
      [[60, 3]],
      [[1, 60]],
      [[3, 3]],
      [
        [9, 3],
        [9, 3],
      ],
    ].map((parts, i) => ({
      ...parted(asked(chat(parts as [number, number][])), 17),
      name: `chats.jsonl, line ${i + 1}`,
    }));
    expect(partedProblems(texts, 16).map((p) => [p.severity, p.message])).toEqual([
      [
        'warning',
        'In 2 of 5 texts with answers a question does not fit a sequence of 16 tokens with its answer: the question is cut from the left (first: chats.jsonl, line 1).',
      ],
      [
        'warning',
        'In 1 of 5 texts with answers an answer is too long for a sequence of 16 tokens: its end is not learned (first: chats.jsonl, line 3).',
      ],
      [
        'warning',
        '1 of 5 texts with answers go over more than one sequence of 16 tokens: each answer is learned with what fits before it (first: chats.jsonl, line 5).',
      ],
    ]);
  });
});

it('500 sets of chats in rows of any length, put together or not: every token that is learned sees the end of its question', async () => {
  for (let seed = 0; seed < 500; seed++) {
    const d = dice(seed);
    const length = 4 + d.whole(20);
    const [packing, begins, all] = [d.chance(0.5), d.chance(0.3), d.chance(0.2)];
    const texts: Marked[] = [];
    let first = 1;
    for (let i = 0; i < 1 + d.whole(6); i++) {
      const plain = d.chance(0.2);
      const parts = Array.from(
        { length: 1 + d.whole(4) },
        () => [1 + d.whole(d.chance(0.2) ? 60 : 8), 1 + d.whole(d.chance(0.2) ? 60 : 6)] as const,
      );
      const text = chat(parts, first, begins, all);
      first += text.ids.length;
      texts.push(plain ? { ...text, counted: text.ids.map(() => true), turns: null } : text);
    }
    const { rows } = await rowsOf(texts, length, packing, 0);
    const learned = new Map<number, number>();
    for (const row of rows)
      row.counted.forEach((c, i) => {
        if (c) learned.set(row.next[i]!, (learned.get(row.next[i]!) ?? 0) + 1);
      });
    expect(
      [...learned.values()].every((n) => n === 1),
      `seed ${seed}`,
    ).toBe(true);
    for (const { ids, turns } of texts)
      for (const turn of turns ?? []) {
        const question = ids.slice(Math.max(turn.from, begins ? 1 : 0), turn.answer);
        const answer = ids.slice(turn.answer, turn.to);
        if (answer.length === 0) continue;
        const kept = answer.filter((id) => learned.has(id));
        // The answer's beginning is learned, and no more than one end is missing.
        expect(kept, `seed ${seed}`).toEqual(answer.slice(0, Math.max(1, kept.length)));
        const row = rows.find((r) => r.next.some((id, i) => r.counted[i] === 1 && id === answer[0]))!;
        const at = row.next.indexOf(answer[0]!);
        const seen = [...row.ids.slice(0, at + 1)].filter((id) => question.includes(id));
        expect(seen, `seed ${seed}`).toEqual(question.slice(question.length - seen.length));
        const fits = question.length + answer.length + (begins ? 1 : 0) <= length + 1;
        const least = fits ? question.length : Math.min(question.length, Math.floor(length / 2));
        expect(seen.length, `seed ${seed}`).toBeGreaterThanOrEqual(least);
        if (fits) expect(kept, `seed ${seed}`).toEqual(answer);
        // What is learned of it is learned in that row.
        expect([...row.next.slice(at, at + kept.length)], `seed ${seed}`).toEqual(kept);
      }
  }
});
