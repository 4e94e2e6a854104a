/** @file The build's list of its own files holds all that the examples name, and refuses a build that is another. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import { isLarge } from '#workers/offline/files.ts';
import { builtInFiles, hashedEntries, packOf, sha256 } from './ownFiles.mjs';

const known = builtInFiles();
const examples = taskInfos.flatMap(({ examples: all }) =>
  all.map((example) => [example.id, jobFromTable(example.job)] as const),
);

it('has examples of all six tasks', () => {
  expect(new Set(examples.map(([, { task }]) => task)).size).toBe(6);
});

it.each(examples)('has every file of %s, and it is kept at first use', (_, { model, data }) => {
  const named = [`models/${model}`, `data/${data.train}`, `data/${data.heldout ?? data.train}`];
  for (const name of named) {
    const folder = name.replace('builtin:', '').split('/').slice(0, 2).join('/');
    const { list } = packOf(join('public', folder));
    const files = (JSON.parse(list) as { files: { path: string }[] }).files.map(({ path }) => path);
    const served = folder.startsWith('data/') ? ['files.pack'] : files;
    for (const path of ['files.json', ...served]) {
      expect(known[`${folder}/${path}`]?.sha256, `${folder}/${path}`).toMatch(/^[0-9a-f]{64}$/);
      expect(isLarge(`${folder}/${path}`)).toBe(true);
    }
  }
});

it('knows files as they are, and packs as the build makes them', () => {
  const path = 'models/waves/model.onnx';
  expect(known[path]).toEqual({ sha256: sha256(readFileSync(`public/${path}`)) });
  const { pack, list } = packOf('public/data/echoes');
  expect(known['data/echoes/files.pack']).toEqual({ sha256: sha256(pack) });
  expect(JSON.parse(list)).toMatchObject({ pack: pack.length });
});

it('gives every file of a build its hash, and refuses one whose code says another', () => {
  const dist = mkdtempSync(join(tmpdir(), 'rotune-own-'));
  try {
    writeFileSync(join(dist, 'a.js'), 'start()');
    const entries = [{ url: 'a.js', revision: null, size: 7 }];
    const right = { 'a.js': { sha256: sha256('start()') } };
    expect(hashedEntries(dist, entries, right)).toEqual([
      { url: 'a.js', revision: sha256('start()'), size: 7 },
    ]);
    const wrong = { 'a.js': { sha256: sha256('stop()') } };
    expect(() => hashedEntries(dist, entries, wrong)).toThrow('a.js is not what its code says');
    expect(() => hashedEntries(dist, entries, { 'b.js': right['a.js'] })).toThrow('b.js');
  } finally {
    rmSync(dist, { recursive: true });
  }
});
