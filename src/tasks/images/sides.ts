/** @file Pictures that must not be mirrored, by what is written of them: sides, turns, and writing. */
import type { TaskProblem } from '#src/tasks/types.ts';
import { namesOf } from './foreign.ts';

/** Words of sides and turns, in the languages that captions are mostly written in. */
const SIDES = [
  String.raw`(?:left|right)(?:s|most|wards?|hand|handed)?`,
  'upside ?left|(?:anti|counter)?-?clockwise',
  'links|rechts|linke[rsnm]?|rechte[rsnm]?',
  'gauches?|droites?',
  'izquierd[ao]s?|derech[ao]s?|esquerd[ao]s?|direit[ao]s?|sinistr[aoie]|destr[aoie]',
  '(?:с|в|на)?(?:лева|лево|права|право)|(?:лев|прав)(?:ый|ая|ое|ые|ой|ую|ом|ым)',
];
/** Words of writing, which reads backwards in a mirror. */
const WRITING = [
  'texts?|letters?|lettering|words?|writing|written|says|saying|inscriptions?|logos?|digits?|numbers?|signs?|watermarks?',
  'schrift|schriftzug|beschriftung|buchstaben?|ziffern?|zahl|zahlen|wort|wörter',
  'textes?|lettres?|chiffres?|mots?|écrit|écriture|textos?|letras?|palabras?|números?|escrito',
];
/** Chinese, Japanese and Korean set no spaces between words. */
const UNSPACED = ['左', '右', '文字', '字母', '数字', '字样', '왼쪽', '오른쪽'];
/** What a caption quotes is mostly what stands in the picture. */
const QUOTED = '"[^"]*\\p{L}[^"]*"|“[^”]+”|«[^»]+»|„[^“]+“|「[^」]+」';

const WORD = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:${[...SIDES, ...WRITING].join('|')})(?![\\p{L}\\p{N}])|${UNSPACED.join('|')}|${QUOTED}`,
  'iu',
);

/** "turnLeft" → "turn Left" */
const spaced = (text: string): string => text.replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2');

/** The first word by which a text says that a picture must not be mirrored; null: none. */
export const sideWord = (text: string): string | null => WORD.exec(spaced(text))?.[0] ?? null;

/** Classes that are themselves digits or letters: pictures of them are writing. */
const SIGN = /^(?:\p{N}{1,2}|\p{L})$/u;

/** A text, and what it is of. */
export interface Told {
  readonly item: string;
  readonly text: string;
}

/** Words that one message names. */
const NAMED = 4;

/**
 * A warning where half of the pictures are mirrored, though what is written of them speaks of sides or of writing.
 * @param what "captions", "class names", "file names"
 */
export function sideProblems(flip: boolean, told: readonly Told[], what: string): TaskProblem[] {
  if (!flip) return [];
  const classes = what === 'class names';
  const found = told.flatMap(({ item, text }) => {
    const word = sideWord(text) ?? (classes && SIGN.test(text) ? text : null);
    return word === null ? [] : [{ item, word: word.slice(0, 40) }];
  });
  if (found.length === 0) return [];
  const words = [...new Set(found.map(({ word }) => word.toLowerCase()))];
  const named = words.slice(0, NAMED).map((word) => (/^["“«„「]/.test(word) ? word : `"${word}"`));
  const items = classes
    ? ''
    : `, such as of ${namesOf([...new Set(found.map(({ item }) => item))].slice(0, 3))}`;
  return [
    {
      severity: 'warning',
      item: found[0]!.item,
      message: `Half of the pictures are mirrored, but ${found.length} of ${told.length} ${what} speak of sides or of writing (${named.join(', ')}${words.length > NAMED ? ' …' : ''})${items}. A mirrored picture shows the opposite.`,
      cure: 'Do not mirror these data, unless sides do not matter here.',
      mend: { words: 'Do not mirror', data: { flip: false } },
    },
  ];
}
