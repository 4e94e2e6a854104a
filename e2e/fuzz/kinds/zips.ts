/** @file ZIP archives: damaged, with paths that lead out, and with sizes that are not theirs. */
import { zipSync, type Zippable } from 'fflate';
import { unzipFiles } from '#src/formats/files/zip.ts';
import { damaged, dice, type Dice } from '#src/tasks/testing/fuzz.ts';
import { zipFiles } from '#workers/trainer/files/zipFiles.ts';
import { bytesOf, type FuzzKind } from '../kind.ts';

const names = [
  ...['data/a.csv', 'data/b.txt', 'b.txt', '../up.txt', '/root.txt', 'C:\\x.txt', 'a\\b.txt', 'a/../b.txt'],
  ...['__MACOSX/._a', '.hidden', 'ä/ö.csv', 'x'.repeat(300), 'folder/', './a', 'a//b', '__proto__', ''],
];

function archive(d: Dice): Uint8Array {
  const files: Zippable = {};
  for (let i = d.whole(5); i > 0; i--) {
    const content = d.pick([
      '',
      'text,label\n'.repeat(50),
      'x'.repeat(300),
      '\0'.repeat(d.pick([10, 100_000])),
    ]);
    files[d.pick(names)] = [bytesOf(content), { level: d.pick([0, 6] as const) }];
  }
  return zipSync(files);
}

/** Sizes, offsets and flags changed where an archive's records begin with their signatures. */
function records(d: Dice, bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  const starts = [...out.keys()].filter((i) => out[i] === 0x50 && out[i + 1] === 0x4b && out[i + 2]! < 9);
  for (let i = 1 + d.whole(3); i > 0 && starts.length > 0; i--) {
    const at = d.pick(starts) + 4 + d.whole(44);
    if (at < out.length) out[at] = d.pick([0, 1, 8, 9, 12, 99, 127, 128, 255]);
  }
  return out;
}

export const zips: FuzzKind = {
  ending: '.zip',
  full: 5000,
  make: (seed) => {
    const d = dice(seed);
    const whole = archive(d);
    return d.chance(0.6) ? records(d, whole) : damaged(d, whole);
  },
  read: async (input) => {
    const set = await zipFiles('data.zip', new Blob([Uint8Array.from(input)]));
    for (const path of set.paths) {
      if (path.startsWith('/') || path.split('/').includes('..')) throw new Error(`${path} leads out.`);
      const [content, size] = [await set.read(path), await set.size(path)];
      if (content.byteLength !== size)
        throw new Error(`${path} has ${content.byteLength} bytes, not ${size}.`);
    }
    await unzipFiles(input);
    return [];
  },
};
