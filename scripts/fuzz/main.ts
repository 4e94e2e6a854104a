/** @file The body of `npm run fuzz`: all kinds by turns, or one, each for its time; what goes wrong is kept as a file, and `npm test` tries it from then on. */
import { relative } from 'node:path';
import { keep } from '../../e2e/fuzz/kept.ts';
import { kinds } from '../../e2e/fuzz/kinds.ts';
import { ROOT } from '../ensure.mjs';
import { type Ended, watched } from './watched.ts';

/** Milliseconds of the processor above which an answer is too late. */
const LATE = 2000;
/** What went wrong, but for what differs from case to case: more of the same is not kept. */
const sameness = ({ was, why }: Ended): string =>
  `${was} ${why.slice(0, 60).replaceAll(/\d+|"[^"]*"?/g, '')}`;

const help = `npm run fuzz -- [kind] [minutes] [--from SEED]

Brings damaged and hostile input to whatever reads some, and says how many were read, refused in words for
people, or neither. What goes wrong is kept in e2e/fuzz/fixtures, where npm test tries it.

  kind      ${Object.keys(kinds).join(', ')};
            all by turns if none is named
  minutes   for each kind; 1 if not given
  --from    the first seed; else one that follows from the clock`;

interface Wishes {
  readonly names: readonly string[];
  readonly minutes: number;
  readonly from: number;
}

/** What was typed; a text says what is wrong with it. */
export function wishesOf(argv: readonly string[], now: number): Wishes | string {
  const at = argv.indexOf('--from');
  const from = at < 0 ? (now % 2 ** 21) * 1000 : Number(argv[at + 1]);
  const words = argv.filter((_, i) => at < 0 || (i !== at && i !== at + 1));
  const times = words.filter((word) => /^\d+(\.\d+)?$/.test(word));
  const names = words.filter((word) => !times.includes(word));
  const stranger = names.find((name) => !Object.hasOwn(kinds, name));
  if (stranger !== undefined)
    return `There is no kind "${stranger}". Choose one of ${Object.keys(kinds).join(', ')}, or leave it out for all.`;
  if (times.length > 1) return 'Give the minutes once.';
  if (!Number.isSafeInteger(from) || from < 0)
    return '--from takes a whole number. Give the seed that was printed.';
  return { names: names.length > 0 ? names : Object.keys(kinds), minutes: Number(times[0] ?? 1), from };
}

const badly = ({ was, ms }: Ended): boolean => (was !== 'read' && was !== 'refused') || ms > LATE;

/** One kind for its time. @returns how many went wrong */
async function round(name: string, from: number, until: number): Promise<number> {
  const counts = { read: 0, refused: 0, raw: 0, hung: 0, died: 0 };
  const wrong: Ended[] = [];
  let slowest: Ended | null = null;
  let late = 0;
  await watched(name, from, until, (ended) => {
    counts[ended.was]++;
    if (ended.was !== 'hung' && ended.ms > LATE) late++;
    if (slowest === null || ended.ms > slowest.ms) slowest = ended;
    if (badly(ended)) wrong.push(ended);
  });
  const all = Object.values(counts).reduce((a, b) => a + b);
  const slow = slowest as Ended | null;
  const time = slow === null ? '' : `, slowest ${Math.round(slow.ms)} ms (seed ${slow.seed})`;
  const { read, refused, raw, hung, died } = counts;
  console.log(
    `${name}: ${all} cases from seed ${from}: ${read} read, ${refused} refused, ${raw} raw, ${late} late, ${hung} hung, ${died} died${time}`,
  );
  const sorts = new Map(wrong.toReversed().map((ended) => [sameness(ended), ended]));
  for (const { seed, was, why, ms } of sorts.values()) {
    const kind = kinds[name]!;
    const path = keep(name, `${seed}${kind.ending}`, await kind.make(seed));
    console.log(`  ${was}, ${Math.round(ms)} ms: ${why.split('\n').slice(0, 4).join('\n    ')}`);
    console.log(`  kept as ${relative(ROOT, path)}; again: npm run fuzz -- ${name} 0.1 --from ${seed}`);
  }
  return wrong.length;
}

/** @returns exit status: 1 where something went wrong, 2 where it was not understood */
export async function fuzz(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help')) {
    console.log(help);
    return 0;
  }
  const wishes = wishesOf(argv, Date.now());
  if (typeof wishes === 'string') {
    console.error(`error: ${wishes}`);
    return 2;
  }
  let wrong = 0;
  for (const name of wishes.names)
    wrong += await round(name, wishes.from, Date.now() + wishes.minutes * 60_000);
  console.log(wrong === 0 ? 'Nothing went wrong.' : `${wrong} went wrong.`);
  return wrong === 0 ? 0 : 1;
}
