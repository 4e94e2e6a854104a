/** @file Which examples of a labelled set are held out, and which are shown: classes in turn, by seed. */
import { stratifiedSplit } from '#src/tasks/order.ts';
import { random } from '#src/tasks/random.ts';

/** Examples by class, in their order. */
export function byLabel<E extends { readonly label: number }>(examples: Iterable<E>): Map<number, E[]> {
  const groups = new Map<number, E[]>();
  for (const e of examples) {
    const group = groups.get(e.label);
    if (group) group.push(e);
    else groups.set(e.label, [e]);
  }
  return groups;
}

/** The groups, their classes ascending. */
const inTurn = <E>(groups: ReadonlyMap<number, E[]>): E[][] =>
  [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);

/** Holds out a share of each class, by seed. */
export function splitByClass<E extends { readonly label: number }>(
  examples: readonly E[],
  share: number,
  seed: number,
): { readonly train: E[]; readonly heldout: E[] } {
  const groups = inTurn(byLabel(examples));
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
  const order = Array.from(random(0, 'shown', 0).permutation(examples.length), (i) => examples[i]!);
  const groups = inTurn(byLabel(order));
  const rounds = groups.reduce((most, group) => Math.max(most, group.length), 0);
  const out: E[] = [];
  for (let round = 0; round < rounds && out.length < n; round++)
    for (const group of groups) if (group[round] && out.length < n) out.push(group[round]!);
  return out;
}
