/** @file Silence beyond what was announced is noticed, once; time is a counter here. */
import { expect, it, vi } from 'vitest';
import { SILENCE } from '#src/platform/pulse.ts';
import { fakeClock } from './testing/fakeClock.ts';
import { Watchdog } from './watchdog.ts';

function watched() {
  const clock = fakeClock();
  const silent = vi.fn();
  return { clock, silent, dog: new Watchdog(silent, clock) };
}

it('does not wait for a worker that never beat: its script may be on the way', () => {
  const { clock, silent } = watched();
  clock.pass(100 * SILENCE);
  expect(silent).not.toHaveBeenCalled();
});

it('hears of silence once', () => {
  const { clock, silent, dog } = watched();
  dog.hear(0);
  clock.pass(SILENCE - 1000);
  expect(silent).not.toHaveBeenCalled();
  clock.pass(1000);
  expect(silent).toHaveBeenCalledTimes(1);
  dog.hear(0);
  clock.pass(10 * SILENCE);
  expect(silent).toHaveBeenCalledTimes(1);
});

it('is content with a beat now and then', () => {
  const { clock, silent, dog } = watched();
  for (let n = 0; n < 50; n++) {
    dog.hear(0);
    clock.pass(SILENCE - 1000);
  }
  expect(silent).not.toHaveBeenCalled();
});

it('waits as long as was announced, and no longer once that is over', () => {
  const { clock, silent, dog } = watched();
  dog.hear(60_000);
  clock.pass(60_000 + SILENCE - 1000);
  expect(silent).not.toHaveBeenCalled();
  dog.hear(0);
  clock.pass(SILENCE - 1000);
  expect(silent).not.toHaveBeenCalled();
  clock.pass(1000);
  expect(silent).toHaveBeenCalledTimes(1);
});

it('asks nothing of a worker that was closed', () => {
  const { clock, silent, dog } = watched();
  dog.hear(0);
  dog.end();
  dog.hear(0);
  clock.pass(10 * SILENCE);
  expect(silent).not.toHaveBeenCalled();
});

it('takes a tick that comes late for one: a computer that slept did not wait', () => {
  let tick: () => void = () => undefined;
  const silent = vi.fn();
  const dog = new Watchdog(silent, { every: (_ms, given) => ((tick = given), () => undefined) });
  dog.hear(0);
  for (let n = 0; n < SILENCE / 1000 - 1; n++) tick();
  expect(silent).not.toHaveBeenCalled();
  tick();
  expect(silent).toHaveBeenCalledTimes(1);
});
