/** @file Aspect buckets: pictures of different shapes are trained at different sizes of about one area, each batch at one size. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** No side is shorter than this share of the base side, none longer than its inverse. */
const narrowest = 0.5;

/**
 * Sizes whose sides are multiples of `step` and whose area is at most side²: the square first, then for each shorter side the longest other one,
 * lying and standing. Every size is a program of its own, so there are no more than that.
 * @param side of the square that the model draws, pixels; a multiple of `step`
 */
export function bucketSizes(side: number, step: number): Size[] {
  const most = Math.floor(side / narrowest / step) * step;
  const sizes: Size[] = [{ width: side, height: side }];
  for (let short = side - step; short >= side * narrowest; short -= step) {
    const long = Math.min(most, Math.floor((side * side) / short / step) * step);
    if (long > side) sizes.push({ width: long, height: short }, { width: short, height: long });
  }
  return sizes;
}

/** Index of the size whose aspect ratio is nearest (in logarithms) to the picture's; of equally near ones the first. */
export function nearestBucket(sizes: readonly Size[], { width, height }: Size): number {
  let best = 0;
  let least = Infinity;
  sizes.forEach((size, i) => {
    const away = Math.abs(Math.log(((width / height) * size.height) / size.width));
    if (away < least - 1e-9) [best, least] = [i, away];
  });
  return best;
}
