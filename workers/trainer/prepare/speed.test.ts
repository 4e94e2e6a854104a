/** @file The device's speed is measured by the tiny model: passes and steps in turn, and whatever stood before goes on standing. */
import 'fake-indexeddb/auto';
import { expect, it } from 'vitest';
import { Lab, problem, tinyRequest, value } from '../testing/sessions.ts';

const lab = new Lab('speed');

it('times passes and steps as often', async () => {
  const session = lab.newSession();
  const told: string[] = [];
  const speed = value(await session.measure(tinyRequest(), ({ what }) => void told.push(what)));
  expect(speed.backend.kind).toBe('wasm');
  expect(speed.forward.ms).toHaveLength(7);
  expect(speed.step.ms).toHaveLength(7);
  expect(Math.min(...speed.forward.ms, ...speed.step.ms)).toBeGreaterThan(0);
  expect(speed.step.nodes).toBeGreaterThan(speed.forward.nodes);
  expect(speed.layers).toBeGreaterThan(0);
  expect(told).toContain('timing');
});

it('can be cancelled', async () => {
  const session = lab.newSession();
  const cancelled: Promise<void>[] = [];
  // Progress is told seldom: of the tiny model's rounds maybe only the last.
  const outcome = await session.measure(tinyRequest(), () => {
    if (cancelled.length === 0) cancelled.push(session.cancelPreparation());
  });
  await Promise.all(cancelled);
  expect(problem(outcome)).toMatchObject({ code: 'cancelled' });
});

it('teaches nothing: the run after it is as if nothing had been measured', async () => {
  const [plain, measured] = [lab.newSession(), lab.newSession()];
  const loss = async (session: typeof plain) =>
    value(await session.start(tinyRequest(), () => undefined)).history.loss;
  value(await measured.measure(tinyRequest()));
  expect(await loss(measured)).toEqual(await loss(plain));
});
