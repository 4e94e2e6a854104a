/** @file A worker for errands: there while it is asked, gone afterwards, whatever comes of it. */
import { expect, it } from 'vitest';
import { Errand } from './errand.ts';

type Api = { ask(): Promise<string> };

function pieces() {
  const seen = { opened: 0, closed: 0 };
  let die: (cause: Error) => void = () => undefined;
  const answers: ((text: string) => void)[] = [];
  const errand = new Errand<Api>(() => {
    seen.opened++;
    const died = new Promise<never>((_resolve, reject) => (die = reject));
    died.catch(() => undefined);
    return Promise.resolve({
      api: { ask: () => new Promise<string>((answer) => answers.push(answer)) },
      died,
      close: () => void seen.closed++,
    });
  });
  /** Lets everything that is ready happen. */
  const settle = () => new Promise((next) => setTimeout(next));
  return { errand, seen, answers, settle, die: (cause: Error) => die(cause) };
}

it('is one worker for questions at the same time, and none when the last is answered', async () => {
  const { errand, seen, answers, settle } = pieces();
  const both = [errand.call((api) => api.ask()), errand.call((api) => api.ask())];
  await settle();
  expect(seen).toEqual({ opened: 1, closed: 0 });
  answers[1]!('second');
  expect(await both[1]).toBe('second');
  await settle();
  expect(seen.closed).toBe(0);
  expect(errand.isOpen).toBe(true);
  answers[0]!('first');
  expect(await both[0]).toBe('first');
  await settle();
  expect(seen).toEqual({ opened: 1, closed: 1 });
  expect(errand.isOpen).toBe(false);
});

it('that dies is closed, tells whoever asked, and is opened anew for the next question', async () => {
  const { errand, seen, answers, settle, die } = pieces();
  const first = errand.call((api) => api.ask());
  await settle();
  die(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  await settle();
  expect(seen).toEqual({ opened: 1, closed: 1 });
  const next = errand.call((api) => api.ask());
  await settle();
  expect(seen.opened).toBe(2);
  answers[1]!('here');
  expect(await next).toBe('here');
  await settle();
  expect(seen).toEqual({ opened: 2, closed: 2 });
});

it('that cannot be opened is tried again', async () => {
  let tries = 0;
  const errand = new Errand<Api>(() => {
    if (++tries === 1) return Promise.reject(new Error('no script'));
    return Promise.resolve({
      api: { ask: () => Promise.resolve('here') },
      died: new Promise<never>(() => undefined),
      close: () => undefined,
    });
  });
  await expect(errand.call((api) => api.ask())).rejects.toThrow('no script');
  expect(errand.isOpen).toBe(false);
  expect(await errand.call((api) => api.ask())).toBe('here');
});

it('is ended by the page with what it is at', async () => {
  const { errand, seen, settle } = pieces();
  void errand.call((api) => api.ask());
  await settle();
  errand.close();
  await settle();
  expect(seen.closed).toBe(1);
  expect(errand.isOpen).toBe(false);
});
