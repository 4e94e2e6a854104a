/** @file Every task is in both lists, with options that its own schema takes. */
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { taskInfos } from './infos.ts';
import { findTask, taskIds } from './registry.ts';

it('lists the same tasks for page and worker', () => {
  expect(taskInfos.map(({ id }) => id).sort()).toEqual([...taskIds].sort());
});

it.each(taskInfos)('$id has a field for each option, and defaults that its schema takes', (info) => {
  expect(findTask(info.id).id).toBe(info.id);
  const snake = (key: string): string => key.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
  const defaults = Object.fromEntries(
    Object.entries(info.defaults).map(([key, value]) => [snake(key), value]),
  );
  expect(v.safeParse(v.strictObject(info.entries), defaults).issues).toBeUndefined();
  expect(info.fields.map((f) => f.key).sort()).toEqual(Object.keys(info.defaults).sort());
});
