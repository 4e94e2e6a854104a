/** @file Every task is in both lists, with options that its own schema takes, and examples that have data. */
import { readFileSync } from 'node:fs';
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

it('has two examples at least of each task, each of a name of its own, in a sentence, with data and a model that are there', () => {
  const listed = (name: string): string[] => {
    const [, kind, set, part] = /^(\w+)\/builtin:([\w-]+)(?:\/(\w+))?$/.exec(name)!;
    const { files } = JSON.parse(readFileSync(`public/${kind}/${set}/files.json`, 'utf8')) as {
      files: { path: string }[];
    };
    return files.map(({ path }) => path).filter((path) => !part || path.startsWith(`${part}/`));
  };
  const all = taskInfos.flatMap(({ id, examples }) => {
    expect(examples.length, id).toBeGreaterThanOrEqual(2);
    return examples;
  });
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  for (const { id, title, words, job } of all) {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(title).toMatch(/^[A-Z]/);
    expect(words).toMatch(/^[A-Z][^.]*\.$/);
    const { train, heldout } = job['data'] as Record<string, string>;
    for (const name of [`models/${job['model'] as string}`, `data/${train}`, `data/${heldout}`])
      expect(listed(name).length, name).toBeGreaterThan(0);
  }
});
