/** @file What the browser's storage holds of a run: records with parts exchanged and lost, as another version or a fault leaves them. */
import { deserialize, serialize } from 'node:v8';
import { createStore, entries, set } from 'idb-keyval';
import { dice } from '#src/tasks/testing/fuzz.ts';
import type { FuzzKind } from '../kind.ts';
import { emptyRuns, filledRuns, savedHeader, savedRun } from '../parts/savedRun.ts';
import { spoiled } from '../parts/spoil.ts';

type Records = readonly (readonly [key: string, record: unknown])[];

const raw = () => createStore('fuzz', 'runs');
/** As it lies in the database; read once. */
let whole: Promise<Records> | undefined;
const records = async (): Promise<Records> => {
  await filledRuns();
  return entries<string, unknown>(raw());
};

export const checkpoints: FuzzKind = {
  ending: '.v8',
  full: 3000,
  make: async (seed) => {
    const d = dice(seed);
    const random = (): number => d.whole(2 ** 30) / 2 ** 30;
    const changed = (record: unknown): unknown => {
      let out = record;
      for (let i = d.whole(4); i > 0; i--) out = spoiled(out, random);
      return out;
    };
    const list = (await (whole ??= records())).flatMap(([key, record]) =>
      d.chance(0.05) ? [] : [[key, changed(record)] as const],
    );
    return new Uint8Array(serialize(list));
  },
  read: async (input) => {
    const runs = emptyRuns();
    for (const [key, record] of deserialize(input) as Records) await set(key, record, raw());
    for (const { id } of await runs.list()) {
      await runs.find(id);
      for (const { step } of await runs.steps(id)) await runs.loadAt(id, step);
    }
    await runs.bytes();
    const found = await runs.load(savedHeader.id);
    // What is trained on is as it was, or whole in the little that can be told.
    if (found && !Object.values(found.content.checkpoint.state).every((x) => x.every(Number.isFinite)))
      throw new Error('Numbers that are not finite were read.');
    // A damaged record stands in the way of no other run.
    await runs.save({ ...savedHeader, id: 'other' }, savedRun);
    if ((await runs.load('other'))?.header.step !== savedHeader.step)
      throw new Error('The other run is not there.');
    return [];
  },
};
