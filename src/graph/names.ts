/** @file Names beside those of a file, which may be called anything. */

/** The name itself where it is free, else the same with underscores behind it: equal on every call, so that two places can agree on it. */
export function apart(name: string, taken: Iterable<string>): string {
  const all = new Set(taken);
  let own = name;
  while (all.has(own)) own += '_';
  return own;
}

/**
 * The key under which a run is fed with something of our own (a loss's target, a schedule) beside the model's inputs: the name, unless an input of the
 * model has it.
 */
export const feedKey = (name: string, inputs: readonly { readonly name: string }[]): string =>
  apart(
    name,
    inputs.map((v) => v.name),
  );
