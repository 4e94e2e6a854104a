import { expect, test } from 'vitest';
import { keepWorkers } from './keepWorkers.ts';

test('a worker is referenced from when it is made until it is terminated', () => {
  class Plain {
    readonly given: unknown[];
    terminated = false;
    constructor(...given: unknown[]) {
      this.given = given;
    }
    terminate(): void {
      this.terminated = true;
    }
  }
  const realm = { Worker: Plain as unknown as typeof Worker };
  const held = keepWorkers(realm);
  const before = held.size;
  const Made = realm.Worker;
  keepWorkers(realm);
  expect(realm.Worker, 'asked twice, wrapped once').toBe(Made);
  const worker = new realm.Worker('a.mjs', { type: 'module', name: 'em-pthread' });
  expect(worker).toBeInstanceOf(Plain);
  expect((worker as unknown as Plain).given).toEqual(['a.mjs', { type: 'module', name: 'em-pthread' }]);
  expect(held.has(worker)).toBe(true);
  worker.terminate();
  expect((worker as unknown as Plain).terminated).toBe(true);
  expect(held.size).toBe(before);
});

test('a realm without workers is left alone', () => {
  const realm = {};
  keepWorkers(realm);
  expect(realm).toEqual({});
});
