/** @file Links with characters lost or changed, and values of inputs. Plans, jobs and settings of other tools are the fuzzers' (e2e/fuzz). */
import { depth } from '#src/platform/testing/depth.ts';
import { describe, expect, it } from 'vitest';
import { parseValues } from '#src/formats/jobs/inputValues.ts';
import { defaultJob } from '#src/formats/jobs/job.ts';
import { decodeLink, encodeLink } from '#src/formats/jobs/link.ts';
import { uniform } from '#src/ops/testing/random.ts';
import { refusesLater } from './drive.ts';
import { fault, saysWayOut } from './plain.ts';

describe('settings', () => {
  it('links with characters lost or changed', async () => {
    const link = `#${await encodeLink(defaultJob)}`.replace('##', '#');
    expect(await decodeLink(link)).toEqual(defaultJob);
    const random = uniform(11);
    let refused = 0;
    for (let i = 0; i < depth(40, 120); i++) {
      const at = Math.floor(random() * link.length);
      const put = ['', 'A', '%20', '…', '\n', '_'][Math.floor(random() * 6)]!;
      const bad =
        random() < 0.3
          ? link.slice(0, at)
          : link.slice(0, at) + put + link.slice(at + 1 + Math.floor(random() * 4));
      let read: unknown;
      if (
        await refusesLater(
          async () => {
            read = await decodeLink(bad);
          },
          bad.slice(0, 60),
        )
      )
        refused++;
      // The archive's checksum: what is read is what was written.
      else expect(read).toEqual(defaultJob);
    }
    expect(refused).toBeGreaterThan(depth(30, 100));
  });

  it.each(['#v2:abc', '#x', '', '#v1:', `#v1:${'A'.repeat(200_000)}`])('the link %s', async (hash) => {
    expect(await refusesLater(() => decodeLink(hash), hash.slice(0, 20))).toBe(true);
  });

  it.each(['sr', 'sr=', '=3', 'sr=abc', 'a=1; b=x', 'size=1,,2'])('values of inputs: %s', (line) => {
    const said = parseValues(line);
    expect(typeof said).toBe('string');
    expect(fault(said as string)).toBeNull();
    expect(saysWayOut(said as string)).toBe(true);
  });
});
