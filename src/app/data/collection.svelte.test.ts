/** @file Every change of a collection can be taken back, and made again. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import type { Remark } from '#workers/protocol.ts';
import { Collection } from './collection.svelte.ts';
import { newItem } from './content.ts';
import { remarkOn } from './remarks.ts';

const pictures = (n: number, label: string | null = null) =>
  Array.from({ length: n }, (_, i) => newItem({ name: `${i}.png`, blob: new Blob([`${i}`]), label }));

/** A change of any kind, where `a` and `b` choose what it is done to. */
const changes: readonly ((c: Collection, a: number, b: number) => void)[] = [
  (c, a) => c.add(pictures(1 + (a % 3), `k${a % 4}`)),
  (c, a) => c.remove(new Set(c.items.slice(a % 5, (a % 5) + 2).map(({ id }) => id))),
  (c, a) => c.captionAll(`w${a}`, a % 2 === 0),
  (c, a) => c.prefixAll(`p${a}`),
  (c, a) => c.addClass(`k${a % 6}`),
  (c, a, b) => c.renameClass(c.classes[a % Math.max(1, c.classes.length)] ?? 'none', `k${b % 6}`),
  (c, a) => c.removeClass(c.classes[a % Math.max(1, c.classes.length)] ?? 'none'),
  (c, a, b) => c.move(new Set(c.items.slice(0, a % 4).map(({ id }) => id)), b % 3 ? `k${b % 5}` : null),
];

describe('a collection', () => {
  it('goes back and forth to the very same contents', () => {
    const step = fc.tuple(fc.nat(changes.length - 1), fc.nat(20), fc.nat(20));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const collection = new Collection('classes', 'mine');
        const seen = [collection.content];
        for (const [which, a, b] of steps) {
          changes[which]!(collection, a, b);
          if (collection.content !== seen.at(-1)) seen.push(collection.content);
          // No label without its class, no class twice.
          expect(new Set(collection.classes).size).toBe(collection.classes.length);
          for (const { label } of collection.items)
            if (label !== null) expect(collection.classes).toContain(label);
        }
        for (const content of seen.slice(0, -1).toReversed()) {
          collection.undo();
          expect(collection.content).toBe(content);
        }
        expect(collection.undoes).toBeNull();
        for (const content of seen.slice(1)) {
          collection.redo();
          expect(collection.content).toBe(content);
        }
        expect(collection.redoes).toBeNull();
      }),
      { numRuns: depth(40, 1000) },
    );
  });

  it('tells of changes, and of nothing else', () => {
    const changed = vi.fn();
    const collection = new Collection('pictures', 'mine', changed);
    collection.undo();
    collection.add([]);
    expect(changed).not.toHaveBeenCalled();
    collection.add(pictures(2));
    collection.captionAll('x');
    collection.captionAll('x');
    expect(changed).toHaveBeenCalledTimes(2);
  });

  it('has what was there before, after another was opened', () => {
    const collection = new Collection('pictures', 'mine');
    collection.add(pictures(2));
    collection.open({ items: pictures(5), classes: [] }, 'theirs');
    expect([collection.items.length, collection.name]).toEqual([5, 'theirs']);
    collection.undo();
    expect(collection.items).toHaveLength(2);
  });
});

it('strokes in a row are one change, and drawings keep their places and names', () => {
  const collection = new Collection('pictures', 'mine');
  collection.add(pictures(1));
  const sheet = (text: string) => new Blob([text]);
  collection.draw([{ name: '', blob: sheet('a') }]);
  const [, first] = collection.items;
  collection.draw([
    { name: 'owl', blob: sheet('ab') },
    { name: '', blob: sheet('c') },
  ]);
  expect(collection.items.map(({ words }) => words)).toEqual([collection.items[0]!.words, 'owl', null]);
  expect(collection.items[1]!.id).toBe(first!.id);
  expect(collection.drawn().map(({ name }) => name)).toEqual(['owl', '']);
  collection.undo();
  expect(collection.items).toHaveLength(1);
  collection.redo();
  expect(collection.drawn()).toHaveLength(2);
});

it('remarks speak of what is on the page, where the data are made there', () => {
  const remark: Remark = {
    severity: 'error',
    code: 'bad-data',
    kind: 'no-class',
    items: ['a.png', 'b.png'],
    message: '2 images lie in no class folder.',
    listed: ['Put it into a folder.'],
  };
  expect(remarkOn(null, remark)).toBe(remark);
  expect(remarkOn(new Collection('classes', 'mine'), remark)).toMatchObject({
    message: '2 pictures are in no class yet.',
    listed: [],
  });
});
