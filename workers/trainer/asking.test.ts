/** @file A trained classifier, model of texts and model of arrays, tried with things of one's own at several strengths. */
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { readNpz } from '#src/tasks/arrays/npz.ts';
import type { AskRequest, Evaluation, JobRequest, RunEvent, Source } from '../protocol.ts';
import { Lab, lastRun, problem, tinyRequest, value } from './testing/sessions.ts';
import { builtinSource } from './files/sources.ts';
import { publicFetch } from './testing/publicFetch.ts';

beforeEach(() => {
  vi.stubGlobal('fetch', publicFetch());
});

const builtin = (name: string): Source => builtinSource(name)!;

/** A task's example, cut to a few steps. */
function example(task: string, steps: number): JobRequest {
  const whole = jobFromTable({ task });
  const job = { ...whole, train: { ...whole.train, steps } };
  const { model, data } = job;
  return {
    job,
    model: builtin(model),
    train: builtin(data.train),
    heldout: data.heldout === null ? null : builtin(data.heldout),
    backend: 'wasm',
  };
}

async function trained(request: JobRequest) {
  const lab = new Lab(`asking-${request.job.task}`);
  const session = lab.newSession();
  const events: RunEvent[] = [];
  value(await session.start(request, (event) => events.push(event)));
  const evaluations = events.flatMap((e): Evaluation[] => (e.kind === 'evaluation' ? [e.evaluation] : []));
  const ask = async (asked: Omit<AskRequest, 'strengths'>, strengths = [0, 1]) =>
    value(await session.ask({ ...asked, strengths }));
  return { lab, session, evaluations, ask };
}

const accuracy = ({ metrics = [] }: Evaluation) => metrics.find(({ name }) => name === 'accuracy')!.value;

describe('a classifier of pictures', () => {
  it('says of held-out pictures what it was judged by, at each strength, and after a reload, too', async () => {
    const request = example('image-classification', 12);
    const { lab, session, evaluations, ask } = await trained(request);
    const [before, after] = await ask({ given: request.heldout });
    const right = (said: typeof before) => {
      const items = said!.items;
      return (
        items.filter(({ name, shares }) => name.split('/')[0] === shares![0]!.name).length / items.length
      );
    };
    expect(after!.items.length).toBeGreaterThan(10);
    expect(right(after)).toBeCloseTo(accuracy(evaluations.at(-1)!), 6);
    // A new last layer has no strength: at 0 it stands on the untouched layers.
    expect(before!.items.map(({ shares }) => shares)).not.toEqual(after!.items.map(({ shares }) => shares));
    const told = evaluations.at(-1)!.examples!;
    expect(told.map(({ name }) => name).toSorted()).toEqual(after!.items.map(({ name }) => name).toSorted());
    for (const { name, says, share } of told) {
      const top = after!.items.find((item) => item.name === name)!.shares![0]!;
      expect(says).toBe(top.name);
      expect(share).toBeCloseTo(top.share, 4);
    }
    const wrong = told.map(({ is, says }) => is !== says);
    expect(wrong).toEqual(wrong.toSorted((a, b) => Number(b) - Number(a)));
    const drawn = (said: typeof before) => said!.items[0]!.picture!.rgba;
    expect(drawn(before)).toEqual(drawn(after));
    expect(after!.items[0]!.picture!.rgba.length).toBeGreaterThan(0);

    // The newest judging alone tells of them one by one, after a reload, too.
    const { checkpoint } = (await lab.runs().load((await lastRun(session))!.id))!.content;
    expect(checkpoint.evaluations.filter((each) => each.examples)).toHaveLength(1);
    expect(checkpoint.evaluations.at(-1)!.examples).toEqual(told);
    const paths = [...told.slice(0, 3).map(({ name }) => name), 'nowhere.png'];
    const pictures = value(await session.pictures({ source: request.heldout!, paths }));
    expect(pictures.map((each) => each && each.rgba.length)).toEqual([
      ...Array.from({ length: 3 }, () => 4 * 32 * 32),
      null,
    ]);

    const reloaded = lab.newSession();
    const again = value(await reloaded.ask({ given: request.heldout, strengths: [1] }));
    expect(again[0]!.items.map(({ shares }) => shares)).toEqual(after!.items.map(({ shares }) => shares));
  }, 120_000);
});

describe('a model of arrays', () => {
  it('gives its outputs as a file that NumPy reads, and others once it is trained', async () => {
    const request = example('generic', 6);
    const { ask } = await trained(request);
    const [before, after] = await ask({ given: request.heldout });
    const [output] = after!.arrays!;
    const [first, second] = [await readNpz(before!.npz!), await readNpz(after!.npz!)];
    expect(second.get(output!.name)!.shape).toEqual(output!.shape);
    expect(second.get(output!.name)!.data).not.toEqual(first.get(output!.name)!.data);
  }, 60_000);

  it('says what it cannot read, and the way out', async () => {
    const { session } = await trained(example('generic', 1));
    const given: Source = {
      kind: 'files',
      name: 'notes',
      files: [{ path: 'notes.txt', blob: new Blob(['x']) }],
    };
    expect(problem(await session.ask({ given, strengths: [1] }))).toMatchObject({
      message: expect.stringContaining('no array file') as string,
      cure: expect.stringContaining('.npz') as string,
    });
  }, 60_000);
});

describe('a model of texts', () => {
  it('goes on from a text by the untouched model and by the tuned one', async () => {
    const { ask } = await trained(example('language', 2));
    const [before, after] = await ask({ texts: ['Once upon a time'] });
    expect([before!.strength, after!.strength]).toEqual([0, 1]);
    for (const said of [before, after]) {
      expect(said!.items).toHaveLength(1);
      expect(said!.items[0]!.text!.length).toBeGreaterThan(0);
    }
  }, 60_000);
});

it('a task that draws is not asked', async () => {
  const session = new Lab('asking-none').newSession();
  value(await session.start(tinyRequest(), () => undefined));
  expect(problem(await session.ask({ texts: ['x'], strengths: [1] }))?.code).toBe('unsupported');
});
