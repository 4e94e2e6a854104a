/** @file Whatever an export writes, and however it is cut, is read as what was said. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { formatOf, type ChatTrouble, exportsIn, readExports } from './read.ts';
import { type Said, writers, type Written } from './testing/written.ts';
import type { Turn } from './types.ts';

async function read({ path, text }: Written) {
  const files = memoryFiles({ [path]: text });
  const troubles: ChatTrouble[] = [];
  const [file] = await readExports(files, await exportsIn(files), troubles);
  return { file, troubles };
}

const words = fc
  .array(
    fc.constantFrom(
      ...[
        'hello',
        'grüße',
        '你好',
        '😀',
        ':',
        '-',
        '<3',
        '\n',
        '12',
        '[',
        ']',
        '"',
        '""',
        ',',
        ';',
        '\\',
        '{',
        '}',
        '.',
        '\t',
      ],
      ...['12.05.23', '- x:', 'image', '=', '=C3', "'", '/', '\\"', 'naïve', 'сейчас', '١٢'],
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((some) =>
    some
      .join(' ')
      .replaceAll(/[ \t]*\n[ \t\n]*/g, '\n')
      .trim(),
  )
  .filter((text) => text !== '' && !/^--/m.test(text));
const DAY = 86_400;
const conversation = fc
  .array(
    fc.record({
      speaker: fc.constantFrom('Anna', 'Bernd Meier', '王小明', '~ Zoë', '+49 170 1234567', 'O"Neil'),
      gap: fc.integer({ min: 0, max: 20 * DAY }),
      text: words,
    }),
    { minLength: 2, maxLength: 12 },
  )
  .map((turns): Said[] => {
    // A day that is no month.
    let time = Date.UTC(2023, 4, 25) / 1000 - 1;
    return turns.map(({ speaker, gap, text }, i) => ({
      speaker,
      text,
      time: (time += i === 0 ? 0 : gap + 1) * 1000,
    }));
  });

/** What a form can say: of times, and of the ends of lines. */
const known = (said: readonly Said[], { minutes }: Written) =>
  said.map(({ speaker, time, text }) => ({ speaker, time: minutes ? time - (time % 60_000) : time, text }));
const plain = (turns: readonly Turn[]) => turns.map(({ speaker, time, text }) => ({ speaker, time, text }));

describe.each(Object.entries(writers))('%s', (name, write) => {
  it('reads back what it wrote', async () => {
    await fc.assert(
      fc.asyncProperty(conversation, async (said) => {
        const written = write(said);
        const { file, troubles } = await read(written);
        expect(troubles).toEqual([]);
        expect(plain(file?.turns ?? [])).toEqual(known(said, written));
      }),
      { numRuns: depth(15, 300) },
    );
  });

  it('is the same however it is cut', () => {
    fc.assert(
      fc.property(conversation, fc.array(fc.nat(), { maxLength: 12 }), (said, cuts) => {
        const { path, text: whole } = write(said);
        const format = formatOf(whole, path)!;
        const turnsOf = (pieces: readonly string[]): Turn[] => {
          const turns: Turn[] = [];
          const reader = format.reader({ say: (turn) => turns.push(turn), skip: () => undefined }, path);
          // What tells the separator of a table is the first piece.
          for (const piece of pieces) reader.push(piece);
          const timing = reader.end();
          return turns.map((turn) =>
            timing && turn.time !== null ? { ...turn, time: timing(turn.time) } : turn,
          );
        };
        const first = whole.indexOf('\n') + 1;
        const places = [first, ...cuts.map((c) => c % whole.length).filter((c) => c > first), whole.length];
        const ends = [...new Set(places)].sort((a, b) => a - b);
        const pieces = ends.map((end, i) => whole.slice(ends[i - 1] ?? 0, end));
        expect(turnsOf(pieces)).toEqual(turnsOf([whole]));
      }),
      { numRuns: depth(15, 300) },
    );
  });
});
