/** @file Share links, cut, changed, and packed well around tables that no page wrote. */
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { defaultJob } from '#src/formats/jobs/job.ts';
import { decodeLink, encodeLink } from '#src/formats/jobs/link.ts';
import { damaged, dice, type Dice } from '#src/tasks/testing/fuzz.ts';
import { bytesOf, type FuzzKind, jsonOf, textOf } from '../kind.ts';
import { jobTable, nestedJson, planned, spoiledTable } from '../parts/jobs.ts';
import { damagedText } from '../parts/texts.ts';

const packed = (content: Uint8Array): string => Buffer.from(content).toString('base64url');

async function link(d: Dice): Promise<string> {
  const pack = (json: string): string => `#v1:${packed(gzipSync(json))}`;
  switch (d.whole(10)) {
    case 0:
      return damagedText(d, await encodeLink(defaultJob));
    case 1:
      return pack(nestedJson(d.pick([10, 1000, 10_000, 30_000])));
    case 2:
      return pack(damagedText(d, JSON.stringify(jobTable(d))));
    case 3:
      return `#v1:${packed(damaged(d, gzipSync(JSON.stringify(jobTable(d)))))}`;
    case 4:
      return pack(d.pick(['', 'null', '[]', '3', '"x"', '{}', ' '.repeat(10 ** d.whole(8))]));
    default:
      return pack(jsonOf(spoiledTable(d, jobTable(d))));
  }
}

export const links: FuzzKind = {
  ending: '.txt',
  full: 10_000,
  make: async (seed) => bytesOf(await link(dice(seed))),
  read: async (input) => {
    const job = await decodeLink(textOf(input));
    const again = await decodeLink(await encodeLink(job));
    if (!isDeepStrictEqual(again, job)) throw new Error('The job is another after it was sent on.');
    return planned(job.plan);
  },
};
