/** @file What keys do while the sheet has the focus: letters choose tools, digits colours. */
import type { DrawingBoard, Tool } from '#src/app/data/drawing.svelte.ts';
import { PALETTE } from '#src/app/data/palette.ts';

/** What tools are called, and their letters. */
export const TOOL_WORDS: Readonly<Record<Tool, { readonly name: string; readonly key: string }>> = {
  pen: { name: 'Pen', key: 'P' },
  eraser: { name: 'Eraser', key: 'E' },
  fill: { name: 'Fill', key: 'F' },
  line: { name: 'Line', key: 'L' },
};

export interface Acts {
  readonly undo: () => void;
  readonly redo: () => void;
  readonly clear: () => void;
  readonly grid: () => void;
  readonly mirror: () => void;
  readonly through: () => void;
}

/** Does what the key is for; false: nothing. */
export function keyActs(
  { key, shiftKey, ctrlKey, metaKey, altKey }: KeyboardEvent,
  board: DrawingBoard,
  acts: Acts,
  say: (words: string) => void,
): boolean {
  const letter = key.toUpperCase();
  if (altKey) return false;
  if (letter === 'Z' || letter === 'Y') {
    if (letter === 'Y' || shiftKey) acts.redo();
    else acts.undo();
    return true;
  }
  if (ctrlKey || metaKey) return false;
  for (const [tool, words] of Object.entries(TOOL_WORDS) as [Tool, { name: string; key: string }][]) {
    if (words.key !== letter) continue;
    board.cancel();
    board.tool = tool;
    say(words.name);
    return true;
  }
  const colour = /^[1-9]$/.test(key) ? PALETTE[Number(key) - 1] : undefined;
  if (colour) {
    board.colour = colour.value;
    say(colour.name);
    return true;
  }
  const act = ({ G: acts.grid, M: acts.mirror } as Readonly<Record<string, () => void>>)[letter];
  act?.();
  return act !== undefined;
}
