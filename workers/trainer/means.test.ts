/** @file A saved run says what it would go on with otherwise, goes on all the same, and writes down what computed it; with the same, nothing is said. */
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BackendReport } from '#src/runtime/types.ts';
import { changesOf, differenceWords } from '#src/training/means.ts';
import type { RunEvent } from '../protocol.ts';
import { adapterBytes, Lab, problem, timeless, tinyJob, tinyRequest, value } from './testing/sessions.ts';

const often = tinyRequest({ train: { ...tinyJob.train, checkpointSteps: 1 } });
const NOW = { rotune: '0.2.0 (b)', runtime: '1.30.0' };

let serial = 0;
let lab: Lab;
let report: Partial<BackendReport> = {};
beforeEach(() => {
  lab = new Lab(`means-${serial++}`);
  lab.versions = NOW;
  report = { threads: 2 };
  lab.onCreate = (runtime) => void Object.assign(runtime.backend, report);
});
afterEach(() => {
  lab.onCreate = null;
});

/** A run that is paused after its first step. */
async function paused(): Promise<string> {
  const session = lab.newSession();
  const result = value(await session.start(often, (e) => e.kind === 'steps' && void session.pause()));
  expect(result.outcome).toBe('paused');
  return result.id;
}

/** What is asked before it goes on, what is said then, and the end. */
async function goneOn(id: string) {
  const session = lab.newSession();
  const asked = value(await session.differences(often, id)).map(differenceWords);
  const events: RunEvent[] = [];
  const result = value(await session.start(often, (event) => events.push(event), id));
  const said = events.flatMap((e) => (e.kind === 'warning' ? [e.problem.message] : []));
  return { asked, said, result, bytes: await adapterBytes(session) };
}

it('with the same, it asks nothing, says nothing, and ends with the same bytes and the same record', async () => {
  const session = lab.newSession();
  const whole = value(await session.start(often, () => undefined));
  const bytes = await adapterBytes(session);
  const { asked, said, result, bytes: again } = await goneOn(await paused());
  expect([asked, said]).toEqual([[], []]);
  expect(timeless(result)).toEqual(timeless(whole));
  expect(again).toEqual(bytes);
  expect(result.means).toEqual([
    { step: 0, backend: 'wasm', adapter: null, threads: 2, recompute: false, ...NOW },
  ]);
  expect(result.means).toEqual(whole.means);
});

describe('with another', () => {
  it.each([
    ['number of threads', { threads: 4 }, NOW, 'threads 4, before 2', /by 2 threads so far.*4 threads from/],
    [
      'version of Rotune',
      {},
      { ...NOW, rotune: '0.3.0' },
      'Rotune 0.3.0, before 0.2.0 (b)',
      /0\.2\.0 \(b\) so far/,
    ],
    [
      'runtime',
      {},
      { ...NOW, runtime: '1.31.0' },
      'onnxruntime-web 1.31.0, before 1.30.0',
      /by 1\.31\.0 from/,
    ],
  ])('%s, it asks, says so, and writes it down', async (_, other, versions, words, message) => {
    const id = await paused();
    const stored = (await lab.runs().load(id))!.content.checkpoint;
    report = { ...report, ...other };
    lab.versions = versions;
    const { asked, said, result } = await goneOn(id);
    expect(asked).toEqual([words]);
    expect(said).toEqual([expect.stringMatching(message)]);
    expect(changesOf(result.means)).toEqual([`from step ${stored.step} on: ${words}`]);
    // In the record, and for whoever opens it later.
    expect((await lab.runs().load(id))!.content.checkpoint.means).toEqual(result.means);
    expect(value(await lab.newSession().library.openRun(often, id)).result?.means).toEqual(result.means);
  });
});

it('asks nothing of a run that an older version saved, which did not write it down', async () => {
  const id = await paused();
  const { header, content } = (await lab.runs().load(id))!;
  const { means: _, threads: __, ...checkpoint } = content.checkpoint;
  await lab.runs().save(header, { ...content, checkpoint });
  report = { threads: 4 };
  lab.versions = { ...NOW, rotune: '9.0.0' };
  const { asked, said, result } = await goneOn(id);
  expect([asked, said, changesOf(result.means)]).toEqual([[], [], []]);
  expect(result.means.at(-1)).toMatchObject({ step: header.step, threads: 4, rotune: '9.0.0' });
});

it('says where there is no such run', async () => {
  expect(problem(await lab.newSession().differences(often, 'none'))).toMatchObject({ code: 'no-run' });
});
