/** @file Saved runs, from their beginning to another browser: what is listed, opened, exported and imported is what was trained. */
import 'fake-indexeddb/auto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { NewZip, zipEntries } from '#src/platform/zip.ts';
import type { JobRequest, Outcome, RunEvent, RunSummary } from '../../protocol.ts';
import type { Session } from '../session.ts';
import { publicFetch } from '../testing/publicFetch.ts';
import { adapterBytes, Lab, problem, tinyJob, tinyRequest, value } from '../testing/sessions.ts';
import { flatten, unflatten } from './plain.ts';

beforeAll(() => vi.stubGlobal('fetch', publicFetch()));
afterAll(() => vi.unstubAllGlobals());

let serial = 0;
let lab: Lab;
beforeEach(() => {
  lab = new Lab(`library-${serial++}`);
});

const request = (steps = 3): JobRequest =>
  tinyRequest({ train: { ...tinyJob.train, steps }, sample: { ...tinyJob.sample, every: 1 } });
const listed = (session: Session): Promise<readonly RunSummary[]> => session.library.runs();

/** A run to its end, or to a pause after the first step. */
async function trained(session: Session, id: string, { steps = 3, pause = false } = {}): Promise<Uint8Array> {
  value(
    await session.start(
      request(steps),
      (event) => pause && event.kind === 'steps' && void session.pause(),
      undefined,
      id,
    ),
  );
  return adapterBytes(session);
}

describe('the list', () => {
  it('has a run from its beginning on, with what it shows, under the id that the page gave it', async () => {
    const session = lab.newSession();
    const during: Promise<readonly RunSummary[]>[] = [];
    value(
      await session.start(
        request(),
        (event) => event.kind === 'phase' && event.phase === 'compiling' && during.push(listed(session)),
        undefined,
        'mine',
      ),
    );
    expect((await during[0]!)[0]).toMatchObject({ id: 'mine', state: 'running', checkpoints: 0, step: 0 });
    const [run] = await listed(session);
    expect(run).toMatchObject({
      ...{ id: 'mine', state: 'finished', finished: true, step: 3, total: 3, problem: null },
      name: 'Draw in a style: pictures',
    });
    expect(run!.pictures).toHaveLength(2);
    expect(run!.losses).toHaveLength(3);
    expect(run!.checkpoints).toBeGreaterThan(0);
    expect(run!.startedAt).toBeLessThanOrEqual(run!.savedAt);
  });

  it('says of a run that was paused, stopped, cut off or failed', async () => {
    const session = lab.newSession();
    await trained(session, 'paused', { pause: true });
    value(
      await session.start(request(), (e) => e.kind === 'steps' && void session.stop(), undefined, 'stopped'),
    );
    let broken = false;
    lab.onCreate = (runtime) => {
      runtime.onRun = () => {
        if (broken) throw new Error('Out of order.');
      };
    };
    const failing = lab.newSession();
    const outcome = await failing.start(
      request(),
      (e) => (broken ||= e.kind === 'steps'),
      undefined,
      'failed',
    );
    lab.onCreate = null;
    const states = Object.fromEntries((await listed(session)).map((run) => [run.id, run]));
    expect(states['paused']).toMatchObject({ state: 'paused', finished: false });
    expect(states['stopped']).toMatchObject({ state: 'stopped', finished: true, total: 3 });
    expect(states['failed']).toMatchObject({ state: 'failed', finished: false, checkpoints: 0 });
    expect(states['failed']!.problem).toMatchObject({ message: problem(outcome)!.message });
    expect(states['failed']!.losses.length).toBeGreaterThan(0);
  });

  it('has a run that could not begin, and leaves a saved one what it was where that cannot go on', async () => {
    const session = lab.newSession();
    await trained(session, 'paused', { pause: true });
    const empty = {
      kind: 'files',
      name: 'nothing',
      files: [{ path: 'a.txt', blob: new Blob(['x']) }],
    } as const;
    const refused = await session.start({ ...request(), train: empty }, () => undefined, undefined, 'bad');
    expect(problem(refused)).toMatchObject({ code: 'bad-data' });
    expect((await listed(session))[0]).toMatchObject({ id: 'bad', state: 'failed', checkpoints: 0 });
    expect(
      problem(await session.start({ ...request(), train: empty }, () => undefined, 'paused')),
    ).not.toBeNull();
    expect(await lab.runs().find('paused')).toMatchObject({ state: 'paused', problem: null });
  });

  it('forgets a run that was given up before it began', async () => {
    const session = lab.newSession();
    const outcome = await session.start(
      request(),
      (event) =>
        event.kind === 'phase' &&
        event.phase === 'loading' &&
        setTimeout(() => void session.cancelPreparation()),
      undefined,
      'given-up',
    );
    // Where the start was quicker than the cancel, the run is whole.
    const ids = (await listed(session)).map(({ id }) => id);
    expect(ids).toEqual(problem(outcome)?.code === 'cancelled' ? [] : ['given-up']);
  });

  it('keeps the user’s name over later checkpoints', async () => {
    const session = lab.newSession();
    await trained(session, 'a', { pause: true });
    value(await session.library.renameRun('a', '  Ghosts  '));
    value(await session.start(request(), () => undefined, 'a'));
    expect((await listed(session))[0]).toMatchObject({ name: 'Ghosts', state: 'finished' });
    value(await session.library.renameRun('a', ' '));
    expect((await listed(session))[0]!.name).toBe('Draw in a style: pictures');
    expect(problem(await session.library.renameRun('b', 'x'))).toMatchObject({ code: 'no-run' });
  });

  it('can be taken back what was removed, until the page is opened anew', async () => {
    const session = lab.newSession();
    const bytes = await trained(session, 'a');
    value(await session.library.removeRun('a'));
    expect(await listed(session)).toEqual([]);
    value(await session.library.restoreRun('a'));
    value(await session.library.openRun(null, 'a'));
    expect(await adapterBytes(session)).toEqual(bytes);
    value(await session.library.removeRun('a'));
    // Milliseconds tell the two pages apart.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const later = lab.newSession();
    expect(await listed(later)).toEqual([]);
    expect(problem(await later.library.restoreRun('a'))).toMatchObject({ code: 'no-run' });
  });

  it('removes no run that is going on', async () => {
    const session = lab.newSession();
    let asked: Promise<Outcome<unknown>[]> | null = null;
    value(
      await session.start(
        request(),
        (event) => {
          if (event.kind === 'steps')
            asked ??= Promise.all([session.library.removeRun('a'), session.library.openRun(null, 'a')]);
        },
        undefined,
        'a',
      ),
    );
    for (const outcome of await asked!) expect(problem(outcome)).toMatchObject({ code: 'busy' });
  });
});

describe('opening', () => {
  it('shows all that the run showed, and draws and exports with it, whatever was trained since', async () => {
    const session = lab.newSession();
    const events: RunEvent[] = [];
    const result = value(await session.start(request(), (event) => events.push(event), undefined, 'a'));
    const bytes = await adapterBytes(session);
    const drawn = events.findLast((e) => e.kind === 'samples')!;
    const other = await trained(session, 'b', { steps: 2 });
    expect(other).not.toEqual(bytes);
    for (const opening of [session, lab.newSession()]) {
      const run = value(await opening.library.openRun(request(), 'a'));
      expect(run.history).toEqual(result.history);
      expect(run.evaluations).toEqual(result.evaluations);
      const rows = events.filter((e) => e.kind === 'samples').map(({ kind: _, ...row }) => row);
      expect(run.samples).toEqual(rows);
      const { kind: _, ...angles } = events.findLast((e) => e.kind === 'angles')!;
      expect(run.angles).toEqual(angles);
      expect(run.result).toMatchObject({ outcome: 'finished', step: 3, backend: result.backend });
      expect(run.planned.length).toBeGreaterThan(0);
      expect(run.summary.id).toBe('a');
      expect(await adapterBytes(opening)).toEqual(bytes);
      const { prompts, seed, steps, guidance } = tinyJob.sample;
      const again = value(await opening.sample({ prompts, seed, steps, guidance, strength: 1 }));
      expect(again.pictures).toEqual(drawn.pictures);
    }
  });

  it('refuses what was never saved, and draws with no other model', async () => {
    const session = lab.newSession();
    expect(problem(await session.library.openRun(null, 'a'))).toMatchObject({ code: 'no-run' });
    await trained(session, 'a');
    const fresh = lab.newSession();
    value(await fresh.library.openRun(null, 'a'));
    expect((await adapterBytes(fresh)).length).toBeGreaterThan(0);
    const { prompts, seed, steps, guidance } = tinyJob.sample;
    const drawn = await fresh.sample({ prompts, seed, steps, guidance, strength: 1 });
    expect(problem(drawn)).toMatchObject({ code: 'no-run', item: 'tiny' });
  });

  it('tells a page that goes on with it all that was shown and said', async () => {
    const first = lab.newSession();
    const before: RunEvent[] = [];
    value(
      await first.start(
        request(),
        (event) => {
          before.push(event);
          if (event.kind === 'steps') void first.pause();
        },
        undefined,
        'a',
      ),
    );
    const stored = (await lab.runs().load('a'))!;
    const warnings = [{ code: 'loss-stays', message: 'It learns nothing.' }] as const;
    await lab.runs().save(stored.header, { ...stored.content, shown: { ...stored.content.shown, warnings } });
    const events: RunEvent[] = [];
    value(await lab.newSession().start(request(), (event) => events.push(event), 'a'));
    const restored = events.find((e) => e.kind === 'restored')!;
    expect(restored.history).toEqual(stored.content.checkpoint.history);
    const { step, savedAt: at } = stored.header;
    expect(restored).toMatchObject({ step, stored: { step, at }, warnings });
    expect(restored.angles).toEqual(stored.content.shown?.angles);
    expect((await lab.runs().load('a'))!.content.shown?.warnings).toEqual(warnings);
  });
});

describe('an archive', () => {
  const exported = async (session: Session, ids: readonly string[]): Promise<Blob> =>
    value(await session.library.exportRuns(ids)).blob;

  it('takes all runs to another browser, byte for byte', async () => {
    const session = lab.newSession();
    const bytes = new Map([
      ['a', await trained(session, 'a')],
      ['b', await trained(session, 'b', { steps: 2 })],
      ['c', await trained(session, 'c', { pause: true })],
    ]);
    value(await session.library.renameRun('b', 'Second'));
    const before = await listed(session);
    const blob = await exported(session, [...bytes.keys()]);
    for (const id of bytes.keys()) await session.library.discard(id);
    expect(await listed(session)).toEqual([]);
    const { imported, skipped } = value(await session.library.importRuns(blob));
    expect(skipped).toBe(0);
    const one = (run: RunSummary): RunSummary => ({ ...run, checkpoints: 1 });
    expect(imported).toEqual(before.map(one));
    for (const [id, own] of bytes) {
      const fresh = lab.newSession();
      value(await fresh.library.openRun(null, id));
      expect(await adapterBytes(fresh)).toEqual(own);
    }
    // A paused one goes on, too.
    const resumed = lab.newSession();
    value(await resumed.start(request(), () => undefined, 'c'));
    expect(await adapterBytes(resumed)).toEqual(bytes.get('a'));
  });

  it('skips runs that are here, puts removed ones back, and gives others of the same id a new one', async () => {
    const session = lab.newSession();
    const bytes = await trained(session, 'a');
    await trained(session, 'b', { steps: 2 });
    const blob = await exported(session, ['a', 'b']);
    expect(value(await session.library.importRuns(blob))).toEqual({ imported: [], skipped: 2 });
    value(await session.library.removeRun('b'));
    expect(value(await session.library.importRuns(blob))).toMatchObject({
      imported: [{ id: 'b' }],
      skipped: 1,
    });
    await session.library.discard('a');
    const other = await trained(session, 'a', { steps: 1 });
    const { imported } = value(await session.library.importRuns(blob));
    expect(imported).toHaveLength(1);
    expect(imported[0]!.id).not.toBe('a');
    for (const [id, own] of [
      ['a', other],
      [imported[0]!.id, bytes],
    ] as const) {
      value(await session.library.openRun(null, id));
      expect(await adapterBytes(session)).toEqual(own);
    }
  });

  it('names the runs that could not be read, and has the others', async () => {
    const session = lab.newSession();
    await trained(session, 'a');
    const { left, name } = value(await session.library.exportRuns(['gone', 'a']));
    expect(left).toMatchObject([{ id: 'gone' }]);
    expect(name).toBe('Draw-in-a-style-pictures.zip');
    expect(problem(await session.library.exportRuns(['gone']))).toMatchObject({ code: 'no-run' });
  });

  /** The same archive with other files. */
  async function changed(
    blob: Blob,
    change: (path: string, text: () => Promise<string>) => Promise<string | null> | null,
  ): Promise<Blob> {
    const zip = new NewZip();
    for (const { path, content } of await zipEntries(blob)) {
      const other = change(path, async () => (await content()).text());
      const text = other && (await other);
      if (!other) await zip.add(path, await content());
      else if (text !== null) await zip.add(path, new TextEncoder().encode(text));
    }
    return zip.close();
  }

  it('is refused with a way out where it is damaged, foreign or newer, and nothing is half imported', async () => {
    const session = lab.newSession();
    await trained(session, 'a');
    await trained(session, 'b', { steps: 2 });
    const blob = await exported(session, ['a', 'b']);
    for (const id of ['a', 'b']) await session.library.discard(id);
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const flipped = (at: number): Blob => new Blob([bytes.map((x, i) => (i === at ? x ^ 0x40 : x))]);
    const last = (await zipEntries(blob)).filter(({ path }) => path.startsWith('runs/0002/arrays')).at(-1)!;
    const array = new Uint8Array(await (await last.content()).arrayBuffer());
    const within = bytes.findIndex((_, i) => array.every((x, k) => bytes[i + k] === x)) + (array.length >> 1);
    const foreign = new NewZip();
    await foreign.add('picture.png', new Uint8Array(9));
    const bad: Record<string, Blob> = {
      'a bit of an array': flipped(within),
      'cut in half': blob.slice(0, blob.size >> 1),
      nothing: new Blob([]),
      'no archive': new Blob(['Hello']),
      'another archive': await foreign.close(),
      'a newer one': await changed(blob, (path, text) =>
        path === 'rotune-runs.json' ? text().then((t) => t.replace('"version":1', '"version":2')) : null,
      ),
      'a run missing': await changed(blob, (path) =>
        path === 'runs/0002/run.json' ? Promise.resolve(null) : null,
      ),
      'an array missing': await changed(blob, (path) =>
        path === 'runs/0002/arrays/0.bin' ? Promise.resolve(null) : null,
      ),
      'no JSON': await changed(blob, (path) => (path === 'runs/0002/run.json' ? Promise.resolve('{') : null)),
      'another plan': await changed(blob, (path, text) =>
        path === 'runs/0002/run.json' ? text().then((t) => t.replace(/"size":\d+/, '"size":1')) : null,
      ),
      'an id that leads elsewhere': await changed(blob, (path, text) =>
        path === 'runs/0002/run.json' ? text().then((t) => t.replace('"id":"b"', '"id":"a/../b"')) : null,
      ),
    };
    for (const [what, archive] of Object.entries(bad)) {
      const refused = problem(await session.library.importRuns(archive));
      expect(refused, what).toMatchObject({ code: 'bad-data' });
      expect(refused?.cure, what).toMatch(/\w/);
      expect(refused?.message, what).not.toMatch(/Rotune itself/);
      expect(await lab.runs().ids(), what).toEqual([]);
    }
    await lab.runs().tidy();
    expect(value(await session.library.importRuns(blob)).imported).toHaveLength(2);
  }, 120_000);

  it('leaves nothing behind where the disk is full in the middle', async () => {
    const session = lab.newSession();
    await trained(session, 'a');
    await trained(session, 'b', { steps: 2 });
    const blob = await exported(session, ['a', 'b']);
    for (const id of ['a', 'b']) await session.library.discard(id);
    const put = vi.spyOn(IDBObjectStore.prototype, 'put');
    let left = 1;
    put.mockImplementation(function (this: IDBObjectStore, record: unknown, key?: IDBValidKey) {
      if (left-- > 0) {
        put.mockRestore();
        const request = this.put(record, key);
        vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
          throw new DOMException('full', 'QuotaExceededError');
        });
        return request;
      }
      throw new DOMException('full', 'QuotaExceededError');
    });
    const refused = problem(await session.library.importRuns(blob));
    vi.restoreAllMocks();
    expect(refused).toMatchObject({ code: 'storage' });
    expect(await lab.runs().ids()).toEqual([]);
    expect(await lab.runs().load('a')).toBeNull();
    expect(value(await session.library.importRuns(blob)).imported).toHaveLength(2);
  });
});

describe('room', () => {
  it('is made by dropping all checkpoints but the newest', async () => {
    const session = lab.newSession();
    const often = request();
    value(
      await session.start(
        { ...often, job: { ...often.job, train: { ...often.job.train, checkpointSteps: 1 } } },
        () => undefined,
        undefined,
        'a',
      ),
    );
    const bytes = await adapterBytes(session);
    const before = await lab.runs().bytes();
    const freed = value(await session.library.freeCheckpoints());
    expect(freed).toBeGreaterThan(0);
    expect(await lab.runs().bytes()).toBe(before - freed);
    expect((await listed(session))[0]).toMatchObject({ checkpoints: 1 });
    const fresh = lab.newSession();
    value(await fresh.library.openRun(null, 'a'));
    expect(await adapterBytes(fresh)).toEqual(bytes);
    expect(value(await session.library.freeCheckpoints())).toBe(0);
  });
});

describe('plain data', () => {
  it('come back number for number', async () => {
    const data = {
      text: 'ü "$"',
      none: null,
      numbers: [0, -0, 1.5, NaN, Infinity, -Infinity],
      nested: [{ deep: [new Float32Array([NaN, -0, 1e-40]), new Uint8ClampedArray([0, 255])] }],
      exact: new Float64Array([0.1, NaN, -0]),
      big: new BigInt64Array([-1n, 2n ** 62n]),
      part: new Float32Array([1, 2, 3, 4]).subarray(1, 3),
      ['__proto__x']: true,
    };
    const { json, arrays } = flatten(data);
    const back = await unflatten(json, (at) => Promise.resolve(arrays[at]!.slice().buffer));
    expect(back).toEqual(data);
    const { numbers } = back as typeof data;
    expect(Object.is(numbers[1], -0)).toBe(true);
  });

  it.each(['{"$":"Uint16Array","at":0}', '{"$":"Float32Array","at":-1}', '{"$":"constructor"}', '{"$":1}'])(
    'refuses %s',
    async (json) => {
      await expect(unflatten(json, () => Promise.resolve(new ArrayBuffer(8)))).rejects.toThrow(/not known/);
    },
  );

  it('gives no object another prototype', async () => {
    const back = await unflatten('{"a":{"__proto__":{"bad":true}}}', () => Promise.reject(new Error('none')));
    expect(({} as { bad?: boolean }).bad).toBeUndefined();
    expect(Object.getPrototypeOf((back as { a: object }).a)).toBe(Object.prototype);
  });
});

describe('a run that stands still', () => {
  it('is over once it is kept, without training on, and can be tried and saved', async () => {
    const session = lab.newSession();
    const bytes = await trained(session, 'a', { pause: true });
    const kept = value(await session.library.keepRun(null, 'a'));
    expect(kept.summary).toMatchObject({ id: 'a', state: 'stopped', finished: true });
    expect(kept.result).toMatchObject({ outcome: 'stopped', step: kept.summary.step });
    expect(kept.summary.step).toBeLessThan(3);
    expect(await adapterBytes(session)).toEqual(bytes);
    // After a reload, too.
    const later = lab.newSession();
    expect((await listed(later))[0]).toMatchObject({ id: 'a', state: 'stopped' });
    value(await later.library.openRun(null, 'a'));
    expect(await adapterBytes(later)).toEqual(bytes);
    expect(problem(await session.library.keepRun(null, 'b'))).toMatchObject({ code: 'no-run' });
  });

  it('is over once it is kept after it failed, up to its last saved step', async () => {
    const session = lab.newSession();
    const runs = lab.runs();
    const bytes = await trained(session, 'a', { pause: true });
    const { header } = (await runs.load('a'))!;
    await runs.note({
      ...{ ...header, state: 'failed' },
      problem: { code: 'device-lost', message: 'The graphics driver restarted.' },
    });
    const kept = value(await session.library.keepRun(null, 'a'));
    expect(kept.summary).toMatchObject({ state: 'stopped', finished: true, problem: null });
    expect(kept.result).toMatchObject({ outcome: 'stopped', step: header.step });
    expect(await adapterBytes(session)).toEqual(bytes);
  });

  it('is not over where nothing of it can be read', async () => {
    const session = lab.newSession();
    const runs = lab.runs();
    await trained(session, 'a', { pause: true });
    const { header } = (await runs.load('a'))!;
    await runs.note({ ...header, id: 'empty', state: 'failed' });
    expect(problem(await session.library.keepRun(null, 'empty'))).toMatchObject({ code: 'no-run' });
    expect(await runs.find('empty')).toMatchObject({ state: 'failed', finished: false });
  });

  it('can be gone back to an earlier step of, as a run of its own that learns the same from there', async () => {
    const often: JobRequest = tinyRequest({ train: { ...tinyJob.train, steps: 5, checkpointSteps: 1 } });
    const session = lab.newSession();
    value(await session.start(often, () => undefined, undefined, 'whole'));
    const whole = await adapterBytes(session);
    value(await session.library.renameRun('whole', 'Ghosts'));
    const steps = value(await session.library.savedSteps('whole'));
    expect(steps.map(({ step }) => step)).toEqual([5, 4, 3, 2, 1]);
    const before = await lab.runs().load('whole');

    const branch = value(await session.library.branchRun('whole', 2));
    expect(branch).toMatchObject({ state: 'paused', finished: false, step: 2, name: 'Ghosts, from step 2' });
    expect(branch.losses).toHaveLength(2);
    const opened = value(await session.library.openRun(null, branch.id));
    expect([...opened.history.step]).toEqual([0, 1]);
    expect(await adapterBytes(session)).not.toEqual(whole);

    const result = value(await lab.newSession().start(often, () => undefined, branch.id));
    expect(result).toMatchObject({ id: branch.id, outcome: 'finished', step: 5 });
    const other = lab.newSession();
    value(await other.library.openRun(null, branch.id));
    expect(await adapterBytes(other)).toEqual(whole);
    expect(await lab.runs().load('whole')).toEqual(before);
    expect(problem(await session.library.branchRun('whole', 9))).toMatchObject({ code: 'no-run' });
    expect(problem(await session.library.branchRun('none', 1))).toMatchObject({ code: 'no-run' });
  });
});
