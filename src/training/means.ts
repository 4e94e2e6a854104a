/** @file What a run is computed with. With the same, it is the same byte for byte; with another, its numbers differ in their last digits. */
import type { Difference, Means, MeansFrom } from './types.ts';

const yes = (x: boolean): string => (x ? 'yes' : 'no');

/** What a difference lies in, and how a value of it is written; null: not known, or nothing hangs on it. */
const ASPECTS: Readonly<Record<Difference['what'], (means: Means) => string | null>> = {
  backend: ({ backend }) => backend,
  adapter: ({ backend, adapter }) => (backend === 'webgpu' ? adapter : null),
  // On the GPU none of them computes.
  threads: ({ backend, threads }) => (backend === 'wasm' && threads !== null ? String(threads) : null),
  recompute: ({ recompute }) => yes(recompute),
  runtime: ({ runtime }) => runtime,
  rotune: ({ rotune }) => rotune,
};

const KINDS = Object.keys(ASPECTS) as Difference['what'][];

/** What is otherwise, as far as it is known of both. */
export function differences(was: Means, is: Means): readonly Difference[] {
  return KINDS.flatMap((what) => {
    const [before, now] = [ASPECTS[what](was), ASPECTS[what](is)];
    return before === null || now === null || before === now ? [] : [{ what, was: before, is: now }];
  });
}

const same = (a: Means, b: Means): boolean => KINDS.every((kind) => a[kind] === b[kind]);

/** The list with what computes from so many updates on. Nothing was computed by what began at that same step before. */
export function withMeans(known: readonly MeansFrom[], step: number, means: Means): readonly MeansFrom[] {
  const earlier = known.filter((each) => each.step < step);
  const last = earlier.at(-1);
  return last && same(last, means) ? earlier : [...earlier, { ...means, step }];
}

const NAMES: Readonly<Record<Difference['what'], string>> = {
  backend: 'backend',
  adapter: 'graphics device',
  threads: 'threads',
  recompute: 'parts of the model computed twice',
  runtime: 'onnxruntime-web',
  rotune: 'Rotune',
};

/** "threads 4, before 2". */
export const differenceWords = ({ what, was, is }: Difference): string =>
  `${NAMES[what]} ${is}, before ${was}`;

/** A line for each change on the way: "from step 120 on: threads 4, before 2". */
export const changesOf = (all: readonly MeansFrom[]): string[] =>
  all.flatMap((means, i) => {
    const before = all[i - 1];
    const otherwise = before ? differences(before, means) : [];
    return otherwise.length === 0
      ? []
      : [`from step ${means.step} on: ${otherwise.map(differenceWords).join('; ')}`];
  });
