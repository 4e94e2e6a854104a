/** @file Pictures of every kind, cut off at every length and with bytes exchanged: read as they are, or said by name. */
import { describe, expect, it } from 'vitest';
import { Reason } from '#src/platform/refusals.ts';
import { decodeDeepPng, isDeepPng } from '#src/tasks/images/deep.ts';
import { decodeTiff } from '#src/tasks/images/tiff.ts';
import { damaged, dice } from '#src/tasks/testing/fuzz.ts';
import { pictureSaid, wholePictures } from '../../fuzz/kinds/images.ts';
import { expectShown } from './drive.ts';
import { fault } from './plain.ts';

const cases = wholePictures;
const endings: Readonly<Record<string, string>> = { jpeg: 'jpg', tiff: 'tif', svg: 'svg' };

async function looked(name: string, bytes: Uint8Array, what: string): Promise<boolean> {
  const kind = name.split(' ')[0]!;
  const problems = await pictureSaid(`a picture.${endings[kind] ?? kind}`, bytes);
  for (const problem of problems) expectShown(problem, what);
  return problems.length > 0;
}

describe.each(cases)('%s', (name, whole) => {
  it('cut off, or with bytes exchanged', async () => {
    let refused = 0;
    for (let i = 0; i < 6; i++)
      if (await looked(name, whole.slice(0, Math.floor((whole.length * i) / 6)), `${name} cut at ${i}/6`))
        refused++;
    for (let i = 0; i < 8; i++)
      if (await looked(name, damaged(dice(i), whole), `${name}, seed ${i}`)) refused++;
    expect(refused).toBeGreaterThan(0);
  });
});

describe('decoders of our own', () => {
  it.each(cases.filter(([name]) => /^tiff|16/.test(name)))(
    '%s: a damaged one gives a reason',
    (name, whole) => {
      for (let i = 0; i < 40; i++)
        try {
          const bytes = damaged(dice(i), whole);
          if (isDeepPng(bytes)) decodeDeepPng(bytes);
          else decodeTiff(bytes);
        } catch (error) {
          expect(error, `${name}, seed ${i}`).toBeInstanceOf(Reason);
          expect(fault(`It is so: ${(error as Error).message}.`)).toBeNull();
        }
    },
  );
});
