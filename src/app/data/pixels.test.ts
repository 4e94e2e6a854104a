/** @file What tools touch, and that edits are taken back exactly, over random pictures. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areaAround,
  blank,
  editBetween,
  fromRgba,
  indexOf,
  lineBetween,
  mirrored,
  painted,
  type Pixels,
  type Place,
  redone,
  resized,
  rgbaOf,
  undone,
  WHITE,
} from './pixels.ts';

const SIZE = 12;
const place = fc.record({ x: fc.nat(SIZE - 1), y: fc.nat(SIZE - 1) });
const colour = fc.integer({ min: 0, max: WHITE });
/** Few colours, so that areas hang together. */
const picture = fc
  .array(fc.constantFrom(WHITE, 0, 0xff_00_00), { minLength: SIZE * SIZE, maxLength: SIZE * SIZE })
  .map((cells): Pixels => ({ size: SIZE, cells: Uint32Array.from(cells) }));
const key = ({ x, y }: Place): string => `${x} ${y}`;

describe('a line', () => {
  it('goes from end to end by neighbours, as many as its longer side, and stays by the true line', () => {
    fc.assert(
      fc.property(place, place, (a, b) => {
        const line = lineBetween(a, b);
        expect([line[0], line.at(-1)]).toEqual([a, b]);
        expect(line).toHaveLength(Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y)) + 1);
        for (const [i, p] of line.entries()) {
          const before = line[i - 1];
          if (before) expect(Math.max(Math.abs(p.x - before.x), Math.abs(p.y - before.y)), key(p)).toBe(1);
          const t = line.length > 1 ? i / (line.length - 1) : 0;
          expect(Math.abs(p.x - (a.x + t * (b.x - a.x)))).toBeLessThanOrEqual(0.5 + 1e-9);
          expect(Math.abs(p.y - (a.y + t * (b.y - a.y)))).toBeLessThanOrEqual(0.5 + 1e-9);
        }
      }),
    );
  });
});

describe('a fill', () => {
  /** The area by repeated growth, which is slow and plain. */
  function grown(pixels: Pixels, start: Place): Set<string> {
    const wanted = pixels.cells[indexOf(pixels, start)];
    const area = new Set([key(start)]);
    for (let before = 0; before !== area.size;) {
      before = area.size;
      for (let y = 0; y < SIZE; y++)
        for (let x = 0; x < SIZE; x++) {
          const beside = [
            { x: x - 1, y },
            { x: x + 1, y },
            { x, y: y - 1 },
            { x, y: y + 1 },
          ].some((p) => area.has(key(p)));
          if (beside && pixels.cells[y * SIZE + x] === wanted) area.add(key({ x, y }));
        }
    }
    return area;
  }

  it('takes just the cells of one colour that hang together', () => {
    fc.assert(
      fc.property(picture, place, (pixels, start) => {
        const area = areaAround(pixels, start);
        expect(new Set(area.map(key))).toEqual(grown(pixels, start));
        expect(new Set(area.map(key)).size).toBe(area.length);
      }),
    );
  });

  it('once made, a second one of the same colour changes nothing', () => {
    fc.assert(
      fc.property(picture, place, colour, (pixels, start, c) => {
        const once = painted(pixels, areaAround(pixels, start), c);
        expect(editBetween(once, painted(once, areaAround(once, start), c))).toBeNull();
      }),
    );
  });

  it('outside of the picture is nothing', () => {
    expect(areaAround(blank(SIZE), { x: -1, y: 3 })).toEqual([]);
  });
});

describe('mirrored painting', () => {
  it('leaves a symmetric picture symmetric', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(place, colour)), (strokes) => {
        let pixels = blank(SIZE);
        for (const [p, c] of strokes) pixels = painted(pixels, mirrored(SIZE, [p]), c);
        for (let y = 0; y < SIZE; y++)
          for (let x = 0; x < SIZE; x++)
            expect(pixels.cells[y * SIZE + x]).toBe(pixels.cells[y * SIZE + SIZE - 1 - x]);
      }),
    );
  });
});

describe('an edit', () => {
  it('is taken back and made again exactly, in any number', () => {
    fc.assert(
      fc.property(picture, fc.array(fc.tuple(fc.array(place), colour)), (first, strokes) => {
        const states = [first];
        const edits = [];
        for (const [places, c] of strokes) {
          const next = painted(states.at(-1)!, places, c);
          const edit = editBetween(states.at(-1)!, next);
          if (!edit) continue;
          edits.push(edit);
          states.push(next);
        }
        let now = states.at(-1)!;
        for (const [i, edit] of edits.toReversed().entries()) {
          now = undone(now, edit);
          expect(now).toEqual(states[states.length - 2 - i]);
        }
        for (const [i, edit] of edits.entries()) {
          now = redone(now, edit);
          expect(now).toEqual(states[i + 1]);
        }
      }),
    );
  });

  it('leaves the picture that it is made on as it was', () => {
    const before = blank(SIZE);
    painted(
      before,
      [
        { x: 1, y: 1 },
        { x: 99, y: 0 },
        { x: -1, y: 0 },
      ],
      0,
    );
    expect(before).toEqual(blank(SIZE));
  });
});

it('goes to RGBA and back, and lies over white', () => {
  fc.assert(
    fc.property(picture, (pixels) => {
      expect(fromRgba(SIZE, rgbaOf(pixels))).toEqual(pixels);
    }),
  );
  expect([...fromRgba(2, new Uint8ClampedArray(16)).cells]).toEqual([WHITE, WHITE, WHITE, WHITE]);
});

it('doubled and halved is the same', () => {
  fc.assert(
    fc.property(picture, (pixels) => {
      expect(resized(resized(pixels, 2 * SIZE), SIZE)).toEqual(pixels);
    }),
  );
});
