/** @file Job files: TOML with characters lost or changed, and well-formed TOML of jobs that no page wrote. */
import { isDeepStrictEqual } from 'node:util';
import { defaultJob, parseJob } from '#src/formats/jobs/job.ts';
import { printJob } from '#src/formats/jobs/printJob.ts';
import { printToml } from '#src/formats/files/printToml.ts';
import { dice, type Dice } from '#src/tasks/testing/fuzz.ts';
import { bytesOf, type FuzzKind, textOf } from '../kind.ts';
import { jobTable, planned, spoiledTable } from '../parts/jobs.ts';
import { damagedText } from '../parts/texts.ts';

/** As TOML, where TOML can say it. */
export function tomlOf(d: Dice, table: object): string {
  try {
    return printToml(spoiledTable(d, table) as object);
  } catch {
    return printToml(table);
  }
}

const nested = (d: Dice): string => {
  const depth = d.pick([10, 1000, 20_000]);
  return d.pick([
    `train = ${'['.repeat(depth)}${']'.repeat(depth)}`,
    `train = ${'{ a = '.repeat(depth)}1${' }'.repeat(depth)}`,
    `[${Array<string>(depth).fill('a').join('.')}]`,
    `${Array<string>(depth).fill('a').join('.')} = 1`,
  ]);
};

function jobText(d: Dice): string {
  if (d.chance(0.05)) return nested(d);
  const text = d.chance(0.5) ? tomlOf(d, jobTable(d)) : printJob(defaultJob);
  return d.chance(0.6) ? damagedText(d, text) : text;
}

export const toml: FuzzKind = {
  ending: '.toml',
  full: 10_000,
  make: (seed) => bytesOf(jobText(dice(seed))),
  read: async (input) => {
    const job = parseJob(textOf(input));
    const again = parseJob(printJob(job));
    if (!isDeepStrictEqual(again, job)) throw new Error('The job is another after it was written.');
    return planned(job.plan);
  },
};
