/** @file Which steps are named under a chart: round ones, the first and the last, as many as fit beside one another. */
import { count } from '../words/format.ts';

/** CSS pixels that hold a character of the axis, and that keep two labels apart. */
const CHARACTER = 7;
export const APART = 10;

/** CSS pixels of a label, at most. */
export const labelWidth = (text: string): number => CHARACTER * text.length;

/** 1, 2, 5, 10, 20, 50 … */
function* roundSteps(): Generator<number> {
  for (let ten = 1; ; ten *= 10) for (const factor of [1, 2, 5]) yield factor * ten;
}

/**
 * Steps from 0 to the last one, labels centred on them, none of which touches another.
 * @param total the last step, 1 at least
 * @param width CSS pixels from the first step to the last
 */
export function stepTicks(total: number, width: number): number[] {
  const room = labelWidth(count(total)) + APART;
  if (room > width) return [total];
  const pixels = width / total;
  for (const step of roundSteps()) {
    // Those too near to the last step give way to it.
    const last = Math.floor((total - room / pixels) / step);
    if (step * pixels >= room || last < 1)
      return [...Array.from({ length: Math.max(0, last) + 1 }, (_, i) => i * step), total];
  }
  return [];
}
