/** @file Strokes, what is taken back, and the strip of drawings. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DrawingBoard, TOOLS } from './drawing.svelte.ts';
import { blank, isBlank, type Pixels, WHITE } from './pixels.ts';

const at = (pixels: Pixels, x: number, y: number) => pixels.cells[y * pixels.size + x];
const marked = ({ cells }: Pixels) => cells.filter((cell) => cell !== WHITE).length;

function stroke(board: DrawingBoard, ...places: readonly (readonly [number, number])[]): void {
  const [first, ...rest] = places.map(([x, y]) => ({ x, y }));
  board.begin(first!);
  for (const place of rest) board.move(place);
  board.end();
}

describe('a stroke', () => {
  it('of the pen has no gaps however fast the pointer was, and is one thing to take back', () => {
    const board = new DrawingBoard(16);
    stroke(board, [0, 0], [9, 3], [9, 9]);
    expect(marked(board.current.pixels)).toBe(10 + 6);
    board.undo();
    expect(isBlank(board.current.pixels)).toBe(true);
    expect(board.canUndo).toBe(false);
    board.redo();
    expect(marked(board.current.pixels)).toBe(16);
  });

  it('of the line tool follows the pointer and leaves only its last', () => {
    const board = new DrawingBoard(16);
    board.tool = 'line';
    board.begin({ x: 0, y: 0 });
    expect(board.anchor).toEqual({ x: 0, y: 0 });
    board.move({ x: 15, y: 0 });
    board.move({ x: 0, y: 7 });
    board.end();
    expect(board.anchor).toBeNull();
    expect(marked(board.current.pixels)).toBe(8);
    expect(at(board.current.pixels, 0, 7)).toBe(0);
  });

  it('fills up to what is drawn, and on both sides where it is mirrored', () => {
    const board = new DrawingBoard(16);
    stroke(board, [5, 0], [5, 15]);
    board.tool = 'fill';
    board.colour = 0xff_00_00;
    stroke(board, [0, 0]);
    expect(at(board.current.pixels, 4, 8)).toBe(0xff_00_00);
    expect(at(board.current.pixels, 6, 8)).toBe(WHITE);
    board.mirror = true;
    board.colour = 0x00_00_ff;
    stroke(board, [0, 0]);
    expect(at(board.current.pixels, 4, 8)).toBe(0x00_00_ff);
    expect(at(board.current.pixels, 15, 8)).toBe(0x00_00_ff);
  });

  it('rubs out with white, and is nothing where it was cancelled', () => {
    const board = new DrawingBoard(16);
    stroke(board, [1, 1]);
    board.begin({ x: 2, y: 2 });
    board.cancel();
    expect(marked(board.current.pixels)).toBe(1);
    board.begin({ x: 1, y: 1 }, 'eraser');
    board.end();
    expect(isBlank(board.current.pixels)).toBe(true);
  });

  it('whatever was done can all be taken back and made again', () => {
    const place = fc.tuple(fc.nat(15), fc.nat(15));
    const act = fc.record({
      tool: fc.constantFrom(...TOOLS, 'clear' as const),
      mirror: fc.boolean(),
      colour: fc.constantFrom(0, 0xff_00_00, WHITE),
      places: fc.array(place, { minLength: 1, maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 12 }), (acts) => {
        const board = new DrawingBoard(16);
        for (const { tool, mirror, colour, places } of acts) {
          if (tool === 'clear') board.clear();
          else {
            Object.assign(board, { tool, mirror, colour });
            stroke(board, ...places);
          }
        }
        const end = board.current.pixels;
        let steps = 0;
        for (; board.canUndo; steps++) board.undo();
        expect(board.current.pixels).toEqual(blank(16));
        for (; board.canRedo; steps--) board.redo();
        expect(steps).toBe(0);
        expect(board.current.pixels).toEqual(end);
      }),
      { numRuns: 60 },
    );
  });

  it('after something was taken back leaves nothing to make again', () => {
    const board = new DrawingBoard(16);
    stroke(board, [1, 1]);
    stroke(board, [2, 2]);
    board.undo();
    stroke(board, [3, 3]);
    expect(board.canRedo).toBe(false);
    expect(marked(board.current.pixels)).toBe(2);
  });
});

describe('the strip', () => {
  it('keeps what each drawing can take back', () => {
    const board = new DrawingBoard(16);
    stroke(board, [1, 1]);
    const first = board.current.id;
    board.add();
    expect(board.canUndo).toBe(false);
    stroke(board, [2, 2]);
    board.select(first);
    board.undo();
    expect(isBlank(board.current.pixels)).toBe(true);
    expect(board.made).toHaveLength(1);
  });

  it('holds one empty sheet at most', () => {
    const board = new DrawingBoard(16);
    board.add();
    board.add();
    expect(board.drawings).toHaveLength(1);
  });

  it('duplicates behind, removes, and brings back where it was', () => {
    const board = new DrawingBoard(16);
    board.rename('fox');
    stroke(board, [1, 1]);
    board.add('owl');
    stroke(board, [2, 2]);
    const [fox, owl] = board.drawings;
    board.duplicate(fox!.id);
    expect(board.drawings.map(({ name }) => name)).toEqual(['fox', 'fox', 'owl']);
    stroke(board, [3, 3]);
    expect(marked(board.drawings[0]!.pixels)).toBe(1);
    board.remove(board.current.id);
    expect(board.drawings.map(({ id }) => id)).toEqual([fox!.id, owl!.id]);
    expect(board.removed?.name).toBe('fox');
    board.restore();
    expect(board.drawings.map(({ name }) => name)).toEqual(['fox', 'fox', 'owl']);
    expect(marked(board.current.pixels)).toBe(2);
    for (const { id } of board.drawings) board.remove(id);
    expect(board.drawings).toHaveLength(1);
    expect(board.made).toEqual([]);
  });

  it('is brought to another size', () => {
    const board = new DrawingBoard(16, [{ name: 'dot', pixels: blank(16) }]);
    stroke(board, [15, 15]);
    board.resize(32);
    expect(board.current.pixels.size).toBe(32);
    expect(marked(board.current.pixels)).toBe(4);
    expect(board.canUndo).toBe(false);
  });
});
