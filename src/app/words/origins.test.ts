import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { origins } from './origins.ts';

const folders = origins.flatMap((origin) => origin.folders);

it('names each built-in model and each built-in data once', () => {
  const there = ['models', 'data'].flatMap((room) =>
    readdirSync(`public/${room}`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${room}/${name}`),
  );
  expect([...folders].sort()).toEqual(there.sort());
});

it('gives to others what NOTICE gives to them', () => {
  const notice = readFileSync('NOTICE', 'utf8');
  for (const { folders: of, from } of origins)
    for (const folder of of) expect(notice.includes(`public/${folder}`), folder).toBe(/Emoji/.test(from));
});
