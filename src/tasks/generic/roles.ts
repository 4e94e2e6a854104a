/** @file Which array feeds what, by names alone. */

/** Which array feeds what. */
export interface Roles {
  /** Array by input of the model. */
  readonly inputs: ReadonlyMap<string, string>;
  /** null: the loss needs none, or nothing says which it is. */
  readonly target: string | null;
}

const BATCH = /(^|\/)batch[_-]?\d+\.(safetensors|npz)$/i;
const targetNames = ['target', 'targets', 'y', 'label', 'labels', 'output'];
const inputNames = ['x', 'input', 'inputs'];

/** Whether a file's name says that it is one batch of several. */
export const isBatchFile = (path: string): boolean => BATCH.test(path);

const natural = new Intl.Collator('en', { numeric: true });
/** Files of batches in their order: batch_2 before batch_10. */
export const inOrder = (paths: readonly string[]): string[] => [...paths].sort(natural.compare);

/** Names that no input takes. */
export const freeNames = (names: readonly string[], { inputs }: Pick<Roles, 'inputs'>): string[] => {
  const taken = new Set(inputs.values());
  return names.filter((name) => !taken.has(name));
};

/**
 * An array feeds the input of its own name; x, input or inputs the only input that is left. The target is the array that was wished for ('': none), else
 * the one that is called so, else the only one that is no input.
 *
 * @param inputs of the model
 * @param names of the arrays
 */
export function rolesOf(
  inputs: readonly string[],
  names: readonly string[],
  wish: { readonly target: string; readonly needed: boolean },
): Roles {
  const fed = new Map(inputs.filter((name) => names.includes(name)).map((name) => [name, name]));
  const missing = inputs.filter((name) => !fed.has(name));
  const alias = inputNames.find((name) => freeNames(names, { inputs: fed }).includes(name));
  if (missing.length === 1 && alias !== undefined) fed.set(missing[0]!, alias);
  if (!wish.needed) return { inputs: fed, target: null };
  const left = freeNames(names, { inputs: fed });
  const found =
    wish.target !== ''
      ? names.find((name) => name === wish.target)
      : (targetNames.find((name) => left.includes(name)) ?? (left.length === 1 ? left[0] : undefined));
  return { inputs: fed, target: found ?? null };
}
