/** @file Work that fails when what does it ends, and leaves nothing behind when it is done. */
import { expect, it, vi } from 'vitest';
import { Lifeline } from './lifeline.ts';

function ending() {
  let end: (cause: Error) => void = () => undefined;
  const ended = new Promise<never>((_resolve, reject) => {
    end = reject;
  });
  return { ended, end };
}

it('gives what the work comes to, or how it fails', async () => {
  const line = new Lifeline(ending().ended);
  expect(await line.hold(Promise.resolve(3))).toBe(3);
  await expect(line.hold(Promise.reject(new Error('no')))).rejects.toThrow('no');
});

it('fails all that is under way when the end comes, and all that is asked after it', async () => {
  const { ended, end } = ending();
  const line = new Lifeline(ended);
  const never = new Promise<number>(() => undefined);
  const [one, two, done] = [line.hold(never), line.hold(never), line.hold(Promise.resolve(1))];
  expect(await done).toBe(1);
  end(new Error('gone'));
  await expect(one).rejects.toThrow('gone');
  await expect(two).rejects.toThrow('gone');
  await expect(line.hold(never)).rejects.toThrow('gone');
});

it('listens to the end once, however much is done before it', async () => {
  const { ended } = ending();
  const heard = vi.spyOn(ended, 'then');
  const line = new Lifeline(ended);
  for (let i = 0; i < 100; i++) await line.hold(Promise.resolve(i));
  expect(heard.mock.calls.length).toBeLessThanOrEqual(1);
});
