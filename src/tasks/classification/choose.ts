/** @file Which examples of a labelled set are held out, and which are shown: classes in turn, by seed. */
import { stratifiedSplit } from '#src/tasks/order.ts';
import { random } from '#src/tasks/random.ts';

/** Holds out a share of each class, by seed. */
export function splitByClass<E extends { readonly label: number }>(
  examples: readonly E[],
  share: number,
  seed: number,
): { readonly train: E[]; readonly heldout: E[] } {
  const classes = [...new Set(examples.map((e) => e.label))].sort((a, b) => a - b);
  const groups = classes.map((c) => examples.filter((e) => e.label === c));
  const split = stratifiedSplit(
    groups.map((group) => group.length),
    share,
    seed,
  );
  const pick = (parts: number[][]): E[] => groups.flatMap((group, g) => parts[g]!.map((i) => group[i]!));
  return { train: pick(split.train), heldout: pick(split.heldout) };
}

/** A fixed choice of at most n examples, classes in turn. */
export function spread<E extends { readonly label: number }>(examples: readonly E[], n: number): E[] {
  const byClass = new Map<number, E[]>();
  for (const i of random(0, 'shown', 0).permutation(examples.length)) {
    const e = examples[i]!;
    byClass.set(e.label, [...(byClass.get(e.label) ?? []), e]);
  }
  const groups = [...byClass].sort(([a], [b]) => a - b).map(([, group]) => group);
  const rounds = Math.max(0, ...groups.map((group) => group.length));
  const out: E[] = [];
  for (let round = 0; round < rounds && out.length < n; round++)
    for (const group of groups) if (group[round] && out.length < n) out.push(group[round]!);
  return out;
}
