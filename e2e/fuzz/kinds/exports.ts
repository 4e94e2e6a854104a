/** @file Archives of saved runs: damaged, and packed well around runs that no page wrote. */
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { damaged, dice, type Dice } from '#src/tasks/testing/fuzz.ts';
import { exportRuns } from '#workers/trainer/library/exporting.ts';
import { importRuns } from '#workers/trainer/library/importing.ts';
import { type FuzzKind, jsonOf } from '../kind.ts';
import { emptyRuns, filledRuns, savedHeader } from '../parts/savedRun.ts';
import { spoiled } from '../parts/spoil.ts';
import { damagedText } from '../parts/texts.ts';

/** As the page exports it; made once. */
let whole: Promise<Uint8Array> | undefined;
const archive = async (): Promise<Uint8Array> =>
  new Uint8Array(await (await exportRuns(await filledRuns(), [savedHeader.id])).blob.arrayBuffer());

function changedFile(d: Dice, path: string, bytes: Uint8Array): Uint8Array {
  if (!path.endsWith('.json')) return d.chance(0.2) ? damaged(d, bytes) : bytes;
  const text = strFromU8(bytes);
  if (d.chance(0.2)) return strToU8(damagedText(d, text));
  let data: unknown = JSON.parse(text);
  for (let i = d.whole(4); i > 0; i--) data = spoiled(data, () => d.whole(2 ** 30) / 2 ** 30);
  return strToU8(jsonOf(data));
}

function repacked(d: Dice, bytes: Uint8Array): Uint8Array {
  const files = Object.entries(unzipSync(bytes)).flatMap(([path, content]) =>
    d.chance(0.02) ? [] : [[path, changedFile(d, path, content)] as const],
  );
  return zipSync(Object.fromEntries(files), { level: d.pick([0, 6] as const) });
}

export const runArchives: FuzzKind = {
  ending: '.zip',
  full: 3000,
  make: async (seed) => {
    const d = dice(seed);
    const bytes = await (whole ??= archive());
    return d.chance(0.2) ? damaged(d, bytes) : repacked(d, bytes);
  },
  read: async (input) => {
    const runs = emptyRuns();
    let made = 0;
    const newId = (): string => `new-${made++}`;
    const file = new Blob([Uint8Array.from(input)]);
    const before = await runs.ids();
    try {
      const { imported } = await importRuns(runs, file, newId);
      for (const { id, checkpoints } of imported) if (checkpoints > 0) await runs.load(id);
      // What came can go on to another browser.
      if (imported.length > 0)
        await exportRuns(
          runs,
          imported.map(({ id }) => id),
        );
    } catch (error) {
      if ((await runs.ids()).length !== before.length)
        throw new Error('Runs were added by an archive that was refused.', { cause: error });
      throw error;
    }
    return [];
  },
};
