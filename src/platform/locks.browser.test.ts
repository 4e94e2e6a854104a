/** @file Locks as a real browser keeps them; another tab is a frame here. */
import { afterEach, expect, it, vi } from 'vitest';
import { lockFreed, type Locks, takeLock } from './locks.ts';

const name = 'rotune-test-lock';
let frame: HTMLIFrameElement | null = null;
afterEach(() => frame?.remove());

/** Holds the lock in another realm, until that is gone. */
async function elsewhere(): Promise<void> {
  frame = document.createElement('iframe');
  document.body.append(frame);
  const { locks } = (frame.contentWindow as Window & typeof globalThis).navigator;
  await new Promise<void>((taken) => {
    locks
      .request(name, () => {
        taken();
        return new Promise<never>(() => undefined);
      })
      .catch(() => undefined);
  });
}

it('is taken once, and again when it was given back', async () => {
  const release = await takeLock(name);
  expect(release).not.toBeNull();
  expect(await takeLock(name)).toBeNull();
  await release!();
  const again = await takeLock(name);
  expect(again).not.toBeNull();
  await again!();
});

it('is free when whoever held it is gone', async () => {
  await elsewhere();
  expect(await takeLock(name)).toBeNull();
  const freed = vi.fn();
  void lockFreed(name, new AbortController().signal).then(freed);
  expect(freed).not.toHaveBeenCalled();
  frame!.remove();
  await expect.poll(() => freed.mock.calls.length).toBe(1);
  await (await takeLock(name))!();
});

it('is waited for as long as asked', async () => {
  await elsewhere();
  expect(await takeLock(name, 50)).toBeNull();
  const taking = takeLock(name, 20_000);
  frame!.remove();
  const release = await taking;
  expect(release).not.toBeNull();
  await release!();
});

it('is taken where it is free when the patience ends, whatever was heard first', async () => {
  const late = (lock: string, options: LockOptions, callback: LockGrantedCallback<unknown>) =>
    options.signal
      ? Promise.reject(new DOMException('late', 'TimeoutError'))
      : navigator.locks.request(lock, options, callback);
  const release = await takeLock(name, 50, { request: late as Locks['request'] });
  expect(release).not.toBeNull();
  await release!();
});

it('is not refused because others wait to hear that it is free', async () => {
  await elsewhere();
  const ends = new AbortController();
  void lockFreed(name, ends.signal);
  void lockFreed(name, ends.signal);
  ends.abort();
  frame!.remove();
  await expect
    .poll(async () => {
      const release = await takeLock(name);
      await release?.();
      return release;
    })
    .not.toBeNull();
});

it('is free where there are none', async () => {
  const none: Locks | null = null;
  await (await takeLock(name, 0, none))!();
  expect(await takeLock(name, 0, none)).not.toBeNull();
});
