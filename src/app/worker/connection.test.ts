/** @file A start that does not answer is made again with one thread; time is a counter here. */
import { expect, test, vi } from 'vitest';
import type { StartOptions, StartSign } from '#workers/protocol.ts';
import { Connection, type OpenLine } from './connection.ts';
import { restartedNote, SILENCE, StartWatch, StuckStart } from './startWatch.ts';
import { fakeClock } from './testing/fakeClock.ts';
import type { Clock } from './ticking.ts';

const starting: StartSign = { kind: 'starting', threads: 4 };

test('silence after the start is heard once, and only then', () => {
  const clock = fakeClock();
  const stuck = vi.fn();
  const watch = new StartWatch(stuck, clock);
  clock.pass(10 * SILENCE);
  watch.hear(starting);
  clock.pass(SILENCE - 1000);
  expect(stuck).not.toHaveBeenCalled();
  clock.pass(1000);
  clock.pass(10 * SILENCE);
  expect(stuck).toHaveBeenCalledExactlyOnceWith(4);
});

test('an answer ends the watch', () => {
  const clock = fakeClock();
  const stuck = vi.fn();
  const watch = new StartWatch(stuck, clock);
  watch.hear(starting);
  clock.pass(SILENCE - 1000);
  watch.hear({ kind: 'ready' });
  clock.pass(10 * SILENCE);
  expect(stuck).not.toHaveBeenCalled();
});

test('a download may take hours, whatever lies between two pieces', () => {
  const clock = fakeClock();
  const stuck = vi.fn();
  const watch = new StartWatch(stuck, clock);
  for (let done = 0; done < 20; done++) {
    watch.hear({ kind: 'fetching', done, total: 20 });
    clock.pass(2 * SILENCE);
  }
  watch.hear(starting);
  clock.pass(SILENCE - 1000);
  expect(stuck).not.toHaveBeenCalled();
});

test('a computer that slept did not wait: however late a tick comes, it is one', () => {
  let tick: () => void = () => undefined;
  const stuck = vi.fn();
  const watch = new StartWatch(stuck, { every: (_ms, given) => ((tick = given), () => undefined) });
  watch.hear(starting);
  tick();
  expect(stuck).not.toHaveBeenCalled();
});

/** Workers of which those in `hanging` never start. */
function workers(hanging: readonly number[], clock: Clock) {
  const opened: StartOptions[] = [];
  const closed: number[] = [];
  const open: OpenLine<{ train(job: string): Promise<string> }> = (options, tell) => {
    const n = opened.push(options) - 1;
    return Promise.resolve({
      api: {
        train(job) {
          tell({ kind: 'starting', threads: options.threads ?? 4 });
          if (hanging.includes(n)) return new Promise<string>(() => undefined);
          tell({ kind: 'ready' });
          return Promise.resolve(`${job} by worker ${n}`);
        },
      },
      died: new Promise<never>(() => undefined),
      close: () => closed.push(n),
    });
  };
  const connection = new Connection(open, (onStuck) => new StartWatch(onStuck, clock));
  return { connection, opened, closed };
}

test('all that was asked is asked again of a worker with one thread, and that is said', async () => {
  const clock = fakeClock();
  const { connection, opened, closed } = workers([0], clock);
  const notes: string[] = [];
  const asked = ['a', 'b'].map((job) =>
    connection.call((api, note) => {
      notes.push(note);
      return api.train(job);
    }),
  );
  await expect.poll(() => notes).toHaveLength(2);
  clock.pass(SILENCE);
  expect(await Promise.all(asked)).toEqual(['a by worker 1', 'b by worker 1']);
  expect(opened).toEqual([{}, { threads: 1, note: restartedNote(4) }]);
  expect(restartedNote(4)).toMatch(/^Restarted with one thread: /);
  expect(notes).toEqual(['', '', restartedNote(4), restartedNote(4)]);
  expect(closed).toEqual([0]);
  clock.pass(10 * SILENCE);
  expect(await connection.call((api) => api.train('c'))).toBe('c by worker 1');
});

test('a second start that does not answer either is an error, not a third start', async () => {
  const clock = fakeClock();
  const { connection, opened, closed } = workers([0, 1], clock);
  const outcome = connection.call((api) => api.train('a')).catch((error: unknown) => error);
  await expect.poll(() => opened).toHaveLength(1);
  await new Promise((next) => setTimeout(next));
  clock.pass(SILENCE);
  await expect.poll(() => opened).toHaveLength(2);
  await new Promise((next) => setTimeout(next));
  clock.pass(SILENCE);
  expect(await outcome).toBeInstanceOf(StuckStart);
  expect(closed).toEqual([0, 1]);
  expect(opened).toHaveLength(2);
});

test('a worker whose runtime failed to start answers what it was asked, and the next question goes to another', async () => {
  const closed: number[] = [];
  let opened = 0;
  const connection = new Connection<{ train(): Promise<string> }>((_options, tell) => {
    const n = opened++;
    const api = {
      train: async () => {
        tell({ kind: 'starting', threads: 4 });
        if (n > 0) return `trained by ${n}`;
        tell({ kind: 'failed' });
        await Promise.resolve();
        return 'failed';
      },
    };
    return Promise.resolve({ api, died: new Promise<never>(() => undefined), close: () => closed.push(n) });
  });
  expect(await connection.call((api) => api.train())).toBe('failed');
  expect(closed).toEqual([0]);
  expect(await connection.call((api) => api.train())).toBe('trained by 1');
  expect(opened).toBe(2);
});

test('a worker that could not be opened is opened again', async () => {
  let tries = 0;
  const connection = new Connection<{ train(): Promise<string> }>(() =>
    tries++ === 0
      ? Promise.reject(new Error('no worker'))
      : Promise.resolve({
          api: { train: () => Promise.resolve('trained') },
          died: new Promise<never>(() => undefined),
          close: () => undefined,
        }),
  );
  await expect(connection.call((api) => api.train())).rejects.toThrow('no worker');
  expect(await connection.call((api) => api.train())).toBe('trained');
});

test('a worker that was given up is gone before the next is opened', async () => {
  let opened = 0;
  let die: (cause: Error) => void = () => undefined;
  let leave: () => void = () => undefined;
  const connection = new Connection<{ train(): Promise<string> }>(() => {
    const n = opened++;
    return Promise.resolve({
      api: { train: () => (n === 0 ? new Promise<string>(() => undefined) : Promise.resolve('trained')) },
      died: new Promise<never>((_resolve, reject) => (die = reject)),
      close: () => undefined,
      gone: () => new Promise<void>((resolve) => (leave = resolve)),
    });
  });
  const first = connection.call((api) => api.train());
  await expect.poll(() => opened).toBe(1);
  await new Promise((next) => setTimeout(next));
  die(new Error('out of memory'));
  await expect(first).rejects.toThrow('out of memory');
  const second = connection.call((api) => api.train());
  await new Promise((next) => setTimeout(next));
  expect(opened).toBe(1);
  leave();
  expect(await second).toBe('trained');
  expect(opened).toBe(2);
});

test('a worker that is ended for what was asked before answers none of it; what was asked after it the next one answers', async () => {
  let opened = 0;
  const connection = new Connection<{ answer(): Promise<string> }>(() => {
    const n = opened++;
    return Promise.resolve({
      api: {
        answer: () => (n === 0 ? new Promise<string>(() => undefined) : Promise.resolve(`worker ${n}`)),
      },
      died: new Promise<never>(() => undefined),
      close: () => undefined,
    });
  });
  const ask = () => connection.call((api) => api.answer());
  const given = expect(ask()).rejects.toThrow('withdrawn');
  const cancel = expect(ask()).rejects.toThrow('withdrawn');
  const { asked } = connection;
  const after = ask();
  await new Promise((next) => setTimeout(next));
  connection.close(new Error('withdrawn'), asked);
  await given;
  await cancel;
  expect(await after).toBe('worker 1');
  expect(opened).toBe(2);
});
