/** @file Files in a folder for each class, with folders for training and held-out files told apart. */
import { shortened } from '#src/tasks/problems.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import type { Labelled } from './labels.ts';

/** Names of folders and files that hold what is not trained on. */
export const heldoutName = /^(val|valid|validation|dev|test|heldout|held-out|eval)$/i;
export const trainName = /^train(ing)?$/i;

/** The folder that all paths lie in, as far as it is one and the same, ending in "/". */
function commonFolder(paths: readonly string[]): string {
  let common = paths[0]?.slice(0, paths[0].lastIndexOf('/') + 1) ?? '';
  while (common !== '' && !paths.every((p) => p.startsWith(common)))
    common = common.slice(0, common.lastIndexOf('/', common.length - 2) + 1);
  return common;
}

/** The first folder of the path behind the prefix; null: the image lies in none. */
function folderBehind(path: string, prefix: string): string | null {
  const rest = path.slice(prefix.length);
  const slash = rest.indexOf('/');
  return slash < 0 ? null : rest.slice(0, slash);
}

function byFolder(paths: readonly string[], root: string, noun: string, problems: TaskProblem[]): Labelled[] {
  const loose: TaskProblem[] = [];
  const found = paths.flatMap((path) => {
    const label = folderBehind(path, root);
    if (label !== null) return { path, label };
    loose.push({
      severity: 'error',
      item: path,
      message: `${path} is in no class.`,
      cure: 'Choose its class, or leave it out.',
    });
    return [];
  });
  problems.push(...shortened(loose, 'no-class', (n) => `${n} ${noun} are in no class.`));
  return found;
}

/**
 * Labels by folders, with train/ and val/ (valid/, validation/, dev/, test/ …) told apart where both are there.
 * @param noun "images", "texts"
 */
export function byFolders(
  paths: readonly string[],
  noun: string,
  problems: TaskProblem[],
): { readonly examples: Labelled[]; readonly heldout: Labelled[] | null } {
  // A class folder is the last common one if nothing lies deeper: then there is one class only.
  const common = commonFolder(paths);
  const deeper = paths.some((p) => p.slice(common.length).includes('/'));
  const root = deeper ? common : common.slice(0, common.lastIndexOf('/', common.length - 2) + 1);
  const tops = new Set(paths.map((p) => folderBehind(p, root)));
  const parts = [...tops].filter((t) => t !== null && (trainName.test(t) || heldoutName.test(t)));
  const train = parts.find((t) => trainName.test(t!));
  const held = parts.filter((t) => heldoutName.test(t!));
  const nested = paths.every((p) => p.slice(root.length).split('/').length > 2);
  if (train === undefined || !nested || parts.length !== tops.size)
    return { examples: byFolder(paths, root, noun, problems), heldout: null };
  const inside = (top: string): string[] => paths.filter((p) => p.startsWith(`${root}${top}/`));
  // val comes before test where both are there.
  const chosen = held.find((t) => !/^test$/i.test(t!)) ?? held[0];
  return {
    examples: byFolder(inside(train!), `${root}${train!}/`, noun, problems),
    heldout: chosen == null ? null : byFolder(inside(chosen), `${root}${chosen}/`, noun, problems),
  };
}
