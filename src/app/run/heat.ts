/** @file Where the model turns: rotation angles of all layers as colours along a strip, and in words. */
import { plural } from '../words/format.ts';

/** Round numbers of degrees for a scale's end, so that it doesn't change with every step. */
const ENDS = [1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 90, 180] as const;

export const scaleEnd = (largest: readonly number[]): number => {
  const most = largest.reduce((a, b) => Math.max(a, b), 0);
  return ENDS.find((end) => most <= end) ?? 180;
};

/** "4.2°", "0.03°", "31°". */
export const degrees = (angle: number): string =>
  `${angle >= 10 ? Math.round(angle) : angle === 0 ? 0 : Number(angle.toPrecision(2))}°`;

export interface HeatSummary {
  /** Places of the layers that turn most, the most first. */
  readonly most: readonly number[];
  /** Layers that do not turn at all. */
  readonly still: number;
  readonly words: string;
}

/** The strip in a sentence, for whoever cannot see it. */
export function describeHeat(paths: readonly string[], mean: readonly number[], top = 3): HeatSummary {
  const most = mean
    .map((_, i) => i)
    .filter((i) => mean[i]! > 0)
    .sort((a, b) => mean[b]! - mean[a]! || a - b)
    .slice(0, top);
  const still = mean.filter((angle) => angle === 0).length;
  const turning = mean.length - still;
  if (turning === 0) return { most, still, words: 'No layer has turned yet.' };
  const named = most.map((i) => `${paths[i] ?? `layer ${i + 1}`} by ${degrees(mean[i]!)}`).join(', ');
  const rest = still > 0 ? ` ${plural(still, 'layer')} of ${mean.length} did not turn.` : '';
  return { most, still, words: `On average turned most: ${named}.${rest}` };
}

/** The first differing parts of neighbouring paths, where labels under the strip belong: places where a new block begins. */
export function sections(
  paths: readonly string[],
): readonly { readonly name: string; readonly at: number }[] {
  const found: { name: string; at: number }[] = [];
  paths.forEach((path, at) => {
    const [first = '', second = ''] = path.split('.');
    const name = /^\d+$/.test(second) ? `${first}.${second}` : first;
    if (found.at(-1)?.name !== name) found.push({ name, at });
  });
  return found;
}
