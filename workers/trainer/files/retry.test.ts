/** @file Each task's example, when every file is refused at first and comes damaged then: the same session gets there, with no other worker and no reload. */
import 'fake-indexeddb/auto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { afterAll, expect, it, vi } from 'vitest';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { sha256 } from '../../../scripts/ownFiles.mjs';
import { decodePngImage } from '#src/tasks/diffusion/testing/decodePng.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import type { JobRequest } from '../../protocol.ts';
import { openRuns } from '../saved.ts';
import { Session } from '../session.ts';
import { graphRuntime } from '../testing/graphRuntime.ts';
import { base, publicFetch } from '../testing/publicFetch.ts';
import { FETCHED_ANEW } from './anew.ts';
import { builtinSource } from './sources.ts';
import type { OwnFileList } from '#src/platform/ownFile.ts';

afterAll(() => vi.unstubAllGlobals());

const examples = taskInfos.map(({ id, examples: [example] }) => ({ id, job: jobFromTable(example!.job) }));

const request = ({ job }: (typeof examples)[number]): JobRequest => ({
  job,
  model: builtinSource(job.model)!,
  train: builtinSource(job.data.train)!,
  heldout: job.data.heldout === null ? null : builtinSource(job.data.heldout),
  backend: 'wasm',
});

/** All built-in files as they lie in public/, which is how tests serve them. */
const files: OwnFileList = Object.fromEntries(
  ['models', 'data'].flatMap((kind) =>
    readdirSync(`public/${kind}`, { recursive: true, encoding: 'utf8' })
      .map((path) => `${kind}/${path}`)
      .filter((path) => statSync(`public/${path}`).isFile())
      .map((path) => [path, { sha256: sha256(readFileSync(`public/${path}`)) }]),
  ),
);

const session = (name: string): Session =>
  new Session({
    base,
    files,
    decodeImage: decodePngImage,
    runs: openRuns(name),
    createRuntime: () => Promise.resolve(graphRuntime()),
  });

it.each(examples)('$id', async (example) => {
  const real = publicFetch();
  const asked = new Map<string, number>();
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    const path = url.slice(base.href.length);
    const times = (asked.get(path) ?? 0) + 1;
    asked.set(path, times);
    // To whoever fetches ahead, and to whoever reads it.
    if (times <= 2) return Promise.resolve(new Response('busy', { status: 403 }));
    if (times > 3) return real(url, init);
    // Half of it, as a cut answer that says no length leaves.
    const bytes = new Uint8Array(readFileSync(`public/${path}`));
    return Promise.resolve(new Response(bytes.subarray(0, bytes.length >> 1)));
  });
  const trainer = session(`faults-${example.id}`);
  let outcome = await trainer.prepare(request(example), false);
  // The list of the model's files, that of the data, a file of either.
  for (let tries = 1; !outcome.ok && tries < 9; tries++) {
    expect(outcome.problem.message).toMatch(/the server said 403\. Try again/);
    outcome = await trainer.prepare(request(example), false);
  }
  expect(outcome.ok ? null : outcome.problem).toBeNull();
  // Nothing of what did not come is taken for damaged data.
  expect(outcome.ok && outcome.value.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  // What was damaged is said, once, and named.
  const told = outcome.ok ? outcome.value.problems.filter(({ kind }) => kind === FETCHED_ANEW) : [];
  const damaged = [...asked].flatMap(([path, times]) => (times > 2 ? [path] : []));
  expect(told.map(({ message }) => message)).toEqual([
    `${damaged.length} files came damaged, and were thrown away and fetched again.`,
  ]);
  expect(told[0]!.items!.toSorted()).toEqual(damaged.toSorted());
  // What was asked for once alone is what the task never reads.
  expect(damaged.length).toBeGreaterThan(asked.size - 2);
});

it('a pack that does not come is asked for a few times, not by each file in it', async () => {
  const real = publicFetch();
  const pack = 'data/riso/files.pack';
  const listed = JSON.parse(readFileSync('public/data/riso/files.json', 'utf8')) as {
    files: { size: number }[];
  };
  const size = listed.files.reduce((sum, each) => sum + each.size, 0);
  let asked = 0;
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    const path = url.slice(base.href.length);
    if (path === 'data/riso/files.json') return Promise.resolve(Response.json({ ...listed, pack: size }));
    if (path !== pack) return real(url, init);
    asked++;
    return Promise.resolve(new Response('busy', { status: 403 }));
  });
  const { sha256: hash } = files['data/riso/files.json']!;
  const known: OwnFileList = Object.fromEntries(
    Object.entries(files).filter(([, file]) => file.sha256 !== hash),
  );
  const trainer = new Session({
    ...{ base, files: known, decodeImage: decodePngImage, runs: openRuns('pack') },
    createRuntime: () => Promise.resolve(graphRuntime()),
  });
  const example = examples.find(({ id }) => id === 'diffusion')!;
  const outcome = await trainer.prepare(request(example), false);
  expect(outcome.ok ? null : outcome.problem.message).toMatch(/the server said 403/);
  expect(listed.files.length).toBeGreaterThan(50);
  expect(asked).toBeLessThan(6);
});
