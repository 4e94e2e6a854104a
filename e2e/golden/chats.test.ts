/** @file Exports of our own making, one for each format: what is read of them was made by the readers, then checked by eye. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { exportsIn, readExports, type ChatTrouble } from '#src/tasks/language/chats/read.ts';
import expected from './chats/expected.json' with { type: 'json' };

const troubles: ChatTrouble[] = [];
const files = diskFiles('e2e/golden/chats');
const read = await readExports(files, await exportsIn(files), troubles);

it('all are told by what is in them, and nothing of them is a trouble', () => {
  expect(troubles).toEqual([]);
  const given = readdirSync('e2e/golden/chats').filter((path) => path !== 'expected.json');
  expect(read.map(({ path }) => path).sort()).toEqual(given.sort());
});

it.each(Object.entries(expected))('%s', (name, wanted) => {
  const { format, left, turns } = read.find(({ path }) => path === name)!;
  expect({
    format: format.name,
    left,
    turns: turns.map(({ chat, speaker, time, text }) => [
      chat,
      speaker,
      time === null ? null : new Date(time).toISOString(),
      text,
    ]),
  }).toEqual(wanted);
});
