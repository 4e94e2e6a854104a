/** @file What the first run waits for: a service worker that is coming, and none that is not. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Offline } from './offline.svelte.ts';

const { serviceWorker } = navigator;
const registered = new EventTarget() as ServiceWorkerRegistration;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const registers = (answer: () => Promise<unknown>) =>
  vi.spyOn(serviceWorker, 'register').mockImplementation(answer as never);

/** Registers, waits, and tells whether the waiting is over. */
function waiting() {
  const offline = new Offline();
  void offline.register(true);
  let over = false;
  void offline.inCharge().then(() => (over = true));
  return async () => {
    await vi.advanceTimersByTimeAsync(0);
    return over;
  };
}

it.each([
  ['a private window refuses', () => Promise.reject(new DOMException('no', 'SecurityError'))],
  ['the command blocks', () => Promise.resolve(undefined)],
])('nothing is waited for where %s', async (_why, answer) => {
  registers(answer);
  expect(await waiting()()).toBe(true);
});

it('the page of a development server has none', async () => {
  const asked = registers(() => Promise.resolve(registered));
  const offline = new Offline();
  await offline.register(false);
  await offline.inCharge();
  expect(asked).not.toHaveBeenCalled();
});

it('one that is coming is waited for', async () => {
  registers(() => Promise.resolve(registered));
  const over = waiting();
  expect(await over()).toBe(false);
  serviceWorker.dispatchEvent(new Event('controllerchange'));
  expect(await over()).toBe(true);
});

it('one that never comes is not waited for for ever', async () => {
  registers(() => Promise.resolve(registered));
  const over = waiting();
  expect(await over()).toBe(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await over()).toBe(true);
});
