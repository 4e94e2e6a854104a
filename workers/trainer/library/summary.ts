/** @file A run at a glance: small pictures, a short line of losses, and the one figure that it is judged by. */
import { CHARACTERS, PICTURES, POINTS, type RunMeasure, TEXTS, THUMBNAIL } from '#src/store/runHeader.ts';
import type { Picture, Samples } from '#src/tasks/types.ts';
import type { Evaluation } from '../../protocol.ts';

/** No side above {@link THUMBNAIL} pixels: each pixel is the mean of those it stands for. Small ones are copied as they are. */
export function thumbnail({ width, height, rgba }: Picture): Picture {
  const times = Math.max(1, width / THUMBNAIL, height / THUMBNAIL);
  if (times === 1) return { width, height, rgba: rgba.slice() };
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side / times))) as [number, number];
  const small = new Uint8ClampedArray(4 * w * h);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const [left, right] = [Math.floor((x * width) / w), Math.ceil(((x + 1) * width) / w)];
      const [top, bottom] = [Math.floor((y * height) / h), Math.ceil(((y + 1) * height) / h)];
      const sums = [0, 0, 0, 0];
      for (let v = top; v < bottom; v++)
        for (let u = left; u < right; u++)
          for (let c = 0; c < 4; c++) sums[c]! += rgba[4 * (v * width + u) + c]!;
      const n = (right - left) * (bottom - top);
      for (let c = 0; c < 4; c++) small[4 * (y * w + x) + c] = sums[c]! / n;
    }
  return { width: w, height: h, rgba: small };
}

/** No character is cut in two. */
function shortened(text: string): string {
  if (text.length <= CHARACTERS) return text;
  const cut = text.slice(0, CHARACTERS - 1);
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** What a list shows of a row of samples. */
export const glance = ({
  pictures,
  texts = [],
}: Pick<Samples, 'pictures' | 'texts'>): {
  readonly pictures: readonly Picture[];
  readonly texts: readonly string[];
} => ({
  pictures: pictures.slice(0, PICTURES).map(thumbnail),
  texts: texts.slice(0, TEXTS).map(shortened),
});

/** At most {@link POINTS} points from the first loss to the last, each a mean over a twentieth of the run. Losses that are not finite are passed over. */
export function sparkline(losses: Float64Array): number[] {
  const finite = losses.filter((loss) => Number.isFinite(loss));
  const { length } = finite;
  const points = Math.min(POINTS, length);
  const half = Math.max(length / POINTS, length / 20) / 2;
  return Array.from({ length: points }, (_, i) => {
    const middle = points === 1 ? 0 : (i * (length - 1)) / (points - 1);
    const [from, to] = [
      Math.max(0, Math.ceil(middle - half)),
      Math.min(length - 1, Math.floor(middle + half)),
    ];
    const near = finite.subarray(Math.min(from, Math.round(middle)), Math.max(to, Math.round(middle)) + 1);
    return near.reduce((sum, loss) => sum + loss, 0) / near.length;
  });
}

const isFinite = (x: number | null | undefined): x is number => Number.isFinite(x);

/** The loss on held-out data when they were first judged, and now; null: never. */
export function heldoutOf(
  evaluations: readonly Evaluation[],
): { readonly first: number; readonly last: number } | null {
  const found = evaluations.map(({ heldoutLoss }) => heldoutLoss).filter(isFinite);
  return found.length === 0 ? null : { first: found[0]!, last: found.at(-1)! };
}

/** The task's first measure that knows a better way, else the loss on held-out data; null: it was not judged. */
export function measureOf(evaluations: readonly Evaluation[]): RunMeasure | null {
  const metrics = evaluations.flatMap((each) => each.metrics ?? []);
  const known = metrics.find(({ better, value }) => better !== 'neither' && isFinite(value));
  if (known) {
    const all = metrics.filter(({ name, value }) => name === known.name && isFinite(value));
    const { name, value, unit, better } = all.at(-1)!;
    return { name, value, unit, better, first: all.length > 1 ? all[0]!.value : null };
  }
  const heldout = heldoutOf(evaluations);
  if (!heldout) return null;
  const judged = evaluations.filter(({ heldoutLoss }) => isFinite(heldoutLoss)).length;
  const first = judged > 1 ? heldout.first : null;
  return { name: 'held-out loss', value: heldout.last, unit: 'number', better: 'lower', first };
}
