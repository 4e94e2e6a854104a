/** @file What a tab hears of another; that one is a frame here. */
import { expect, it, vi } from 'vitest';
import { TabGuard } from './tab.ts';

/** Trains in another realm, as TabGuard does: holds the lock, and tells. */
async function otherTab() {
  const frame = document.createElement('iframe');
  document.body.append(frame);
  const { navigator, BroadcastChannel } = frame.contentWindow as Window & typeof globalThis;
  await new Promise<void>((taken) => {
    navigator.locks
      .request('rotune-training', () => {
        taken();
        return new Promise<never>(() => undefined);
      })
      .catch(() => undefined);
  });
  const channel = new BroadcastChannel('rotune');
  return {
    tell: (step: number) => channel.postMessage({ step, total: 9 }),
    die: () => frame.remove(),
  };
}

it('hears of a run in another tab, and that it is gone when that tab was killed', async () => {
  const heard = vi.fn<(progress: unknown) => void>();
  const guard = new TabGuard(heard);
  const other = await otherTab();
  expect(await guard.take()).toBe(false);
  other.tell(1);
  other.tell(2);
  await expect.poll(() => heard.mock.lastCall?.[0]).toEqual({ step: 2, total: 9 });
  other.die();
  await expect.poll(() => heard.mock.lastCall?.[0]).toBeNull();
  expect(await guard.take()).toBe(true);
  expect(await guard.take()).toBe(true);
  await guard.free();
});
