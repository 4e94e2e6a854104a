/** @file Plans, jobs, configurations of other tools, and links, with characters lost or changed. */
import { depth } from '#src/platform/testing/depth.ts';
import { describe, expect, it } from 'vitest';
import { importPlan } from '#src/formats/plans/importPlan.ts';
import { parseValues } from '#src/formats/jobs/inputValues.ts';
import { defaultJob, parseJob } from '#src/formats/jobs/job.ts';
import { printJob } from '#src/formats/jobs/printJob.ts';
import { decodeLink, encodeLink } from '#src/formats/jobs/link.ts';
import { defaultPlan } from '#src/formats/plans/plan.ts';
import { printPlan } from '#src/formats/plans/printPlan.ts';
import { uniform } from '#src/ops/testing/random.ts';
import { refuses, refusesLater } from './drive.ts';
import { fault, saysWayOut } from './plain.ts';

describe('settings', () => {
  it('plans and jobs with characters lost or changed', () => {
    const texts: [string, (text: string) => unknown][] = [
      [printPlan(defaultPlan), (text) => importPlan(text, 'plan.toml')],
      [printJob(defaultJob), parseJob],
      [
        '{"peft_type": "OFT", "r": 8, "oft_block_size": 0, "target_modules": ["q"]}',
        (text) => importPlan(text, 'adapter_config.json'),
      ],
      [
        'network_args = ["algo=diag-oft", "dropout=0.1"]\nnetwork_dim = 4\n',
        (text) => importPlan(text, 'args.txt'),
      ],
    ];
    const random = uniform(3);
    let refused = 0;
    for (const [text, read] of texts)
      for (let i = 0; i < depth(50, 150); i++) {
        const at = Math.floor(random() * text.length);
        const with_ = ['', '"', '[', '=', 'x', '-1', 'nan', '\n'][Math.floor(random() * 8)]!;
        const bad = text.slice(0, at) + with_ + text.slice(at + 1 + Math.floor(random() * 3));
        if (refuses(() => read(bad), bad)) refused++;
      }
    expect(refused).toBeGreaterThan(depth(30, 100));
  });

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
