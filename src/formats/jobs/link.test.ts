import fc from 'fast-check';
import { gzipSync, strToU8 } from 'fflate';
import { describe, expect, it } from 'vitest';
import { LinkError } from '../errors.ts';
import { defaultJob, jobToTable } from './job.ts';
import { decodeLink, encodeLink } from './link.ts';

const pack = (bytes: Uint8Array): string => `#v1:${Buffer.from(bytes).toString('base64url')}`;
const packed = (text: string): string => pack(gzipSync(strToU8(text)));

describe('share links', () => {
  const job = {
    ...defaultJob,
    train: { ...defaultJob.train, steps: 77 },
    plan: { ...defaultJob.plan, rules: [{ match: { name: '*attn*' }, skip: true }] },
    sample: { ...defaultJob.sample, prompts: ['chat 🐈'] },
  };

  it('bring a job back as it was, from characters that any address may hold', async () => {
    const link = await encodeLink(job);
    expect(link).toMatch(/^#v1:[\w-]+$/);
    expect(link.length).toBeLessThan(2000);
    expect(await decodeLink(link)).toEqual(job);
    expect(await decodeLink(link.slice(1))).toEqual(job);
  });

  it('carry no files', async () => {
    const own = { ...job, model: 'my/model', data: { ...job.data, heldout: 'C:\\pictures' } };
    await expect(encodeLink(own)).rejects.toThrow(/uses your own: my\/model, C:\\pictures/);
    await expect(encodeLink({ ...job, adapter: 'a.safetensors' })).rejects.toThrow(
      /your own: a\.safetensors/,
    );
    const forged = packed(JSON.stringify(jobToTable({ ...job, model: 'https://example.org/evil' })));
    await expect(decodeLink(forged)).rejects.toThrow(/not built in \(https:\/\/example.org\/evil\)/);
    const climbing = packed(JSON.stringify(jobToTable({ ...job, model: 'builtin:../../secret' })));
    await expect(decodeLink(climbing)).rejects.toThrow(LinkError);
  });

  it.each<[string, string, RegExp]>([
    ['another hash', '#section-2', /not a Rotune link/],
    ['nothing', '', /not a Rotune link/],
    ['a later version', '#v2:abcd', /newer Rotune/],
    ['no content', '#v1:', /damaged/],
    ['foreign characters', '#v1:a%20b', /damaged/],
    ['bytes that are not gzip', '#v1:aGVsbG8', /cannot be unpacked/],
    ['gzip that is not JSON', packed('hello'), /cannot be unpacked/],
    ['JSON that is not a job', packed('3'), /valid job: The job is 3; allowed: a table/],
    ['an impossible value', packed('{"train":{"steps":-1}}'), /valid job: train.steps is -1/],
    ['an unknown key', packed('{"modle":"x"}'), /Did you mean model/],
    ['a link far too long', `#v1:${'A'.repeat(40_000)}`, /far longer/],
    ['a bomb', packed(' '.repeat(20_000_000)), /more than 64 KiB/],
  ])('refuse %s in friendly words', async (_, hash, message) => {
    await expect(decodeLink(hash)).rejects.toThrow(LinkError);
    await expect(decodeLink(hash)).rejects.toThrow(message);
  });

  it('refuse every cut or changed link, or bring a valid job', async () => {
    const link = await encodeLink(job);
    await fc.assert(
      fc.asyncProperty(fc.nat(link.length - 1), fc.constantFrom('', 'A', '_', '!'), async (at, by) => {
        try {
          await decodeLink(link.slice(0, at) + by + (by === '' ? '' : link.slice(at + 1)));
        } catch (error) {
          expect(error).toBeInstanceOf(LinkError);
        }
      }),
    );
  });
});
