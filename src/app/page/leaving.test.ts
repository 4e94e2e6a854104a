/** @file Leaving a page in the middle of a run, as browsers tell of it. */
import { expect, test, vi } from 'vitest';
import { watchLeaving } from './leaving.ts';

function page(busy: boolean, unsaved = false) {
  const target = new EventTarget();
  const endWorker = vi.fn();
  const reload = vi.fn();
  watchLeaving({ busy: () => busy, unsaved: () => unsaved, endWorker, reload }, target);
  const tell = (type: string, persisted: boolean) =>
    target.dispatchEvent(Object.assign(new Event(type), { persisted }));
  return { endWorker, reload, tell };
}

test('a page that is kept frozen ends its run, and begins anew when it is shown again', () => {
  const { endWorker, reload, tell } = page(true);
  tell('pageshow', false);
  tell('pagehide', true);
  expect(endWorker).toHaveBeenCalledOnce();
  expect(reload).not.toHaveBeenCalled();
  tell('pageshow', true);
  expect(reload).toHaveBeenCalledOnce();
});

test('without a run it stays as it is', () => {
  const { endWorker, reload, tell } = page(false);
  tell('pagehide', true);
  tell('pageshow', true);
  expect(endWorker).not.toHaveBeenCalled();
  expect(reload).not.toHaveBeenCalled();
});

test('a page that the browser ends itself is left to it', () => {
  const { endWorker, tell } = page(true);
  tell('pagehide', false);
  expect(endWorker).not.toHaveBeenCalled();
});

test.each([
  [true, false],
  [false, true],
])('asks before a run (%s), or what is in the tab alone (%s), is lost', (busy, unsaved) => {
  const target = new EventTarget();
  const host = { endWorker: vi.fn(), reload: vi.fn() };
  watchLeaving({ ...host, busy: () => busy, unsaved: () => unsaved }, target);
  const event = new Event('beforeunload', { cancelable: true });
  target.dispatchEvent(event);
  expect(event.defaultPrevented).toBe(true);
  const quiet = new EventTarget();
  watchLeaving({ ...host, busy: () => false, unsaved: () => false }, quiet);
  const other = new Event('beforeunload', { cancelable: true });
  quiet.dispatchEvent(other);
  expect(other.defaultPrevented).toBe(false);
});
