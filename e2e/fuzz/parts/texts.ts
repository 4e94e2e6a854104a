/** @file Texts with characters lost, changed and doubled, as an editor, a mail or someone hostile leaves them. */
import type { Dice } from '#src/tasks/testing/fuzz.ts';

/** What is put into a text. The last ones nest deeper than any reader that calls itself can follow. */
const marks = [
  ...['', '', '"', "'", '[', ']', '{', '}', '=', '.', ',', ':', '#', 'x', '-1', '0', 'nan', 'inf', '1e999'],
  ...['\n', '\r', '\t', '\u0000', '💥', '\ud800', '__proto__', 'constructor', '\\', '9'.repeat(30), '"""'],
  ...[' '.repeat(5000), 'x'.repeat(5000), '['.repeat(5000), '{"a":'.repeat(3000), 'a.'.repeat(3000)],
];

/** A text with one to four edits. */
export function damagedText(d: Dice, text: string): string {
  let out = text;
  for (let i = 1 + d.whole(4); i > 0; i--) {
    const at = d.whole(out.length + 1);
    const end = at + d.whole(d.chance(0.2) ? 60 : 4);
    const edits = [
      () => out.slice(0, at) + d.pick(marks) + out.slice(end),
      () => out.slice(0, at) + d.pick(marks) + out.slice(at),
      () => out.slice(0, end) + out.slice(at),
      () => out.replace(/-?\d+(?:\.\d+)?/g, (number) => (d.chance(0.2) ? d.pick(marks) : number)),
      () => (d.chance(0.2) ? out.slice(0, at) : out),
    ];
    out = d.pick(edits)();
  }
  return out;
}
