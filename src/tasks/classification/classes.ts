/** @file The model's own classes, and whether the data's are among them. */
import * as v from 'valibot';
import type { FileSet } from '#src/tasks/files.ts';
import { textBeside } from '#src/tasks/textFiles.ts';
import type { Mend, TaskProblem } from '#src/tasks/types.ts';

const configSchema = v.looseObject({ id2label: v.record(v.string(), v.string()) });
const listSchema = v.union([v.array(v.string()), v.record(v.string(), v.string())]);

const fromRecord = (record: Readonly<Record<string, string>>): string[] | null => {
  const entries = Object.entries(record).map(([id, name]) => [Number(id), name] as const);
  if (entries.some(([id]) => !Number.isInteger(id) || id < 0 || id >= 1e6)) return null;
  const names: string[] = [];
  for (const [id, name] of entries) names[id] = name;
  return Array.from({ length: names.length }, (_, i) => names[i] ?? `class ${i}`);
};

/** Names by index from config.json (id2label), labels.txt, classes.txt or labels.json near the model; null: nothing says them. */
export async function readClassNames(files: FileSet, modelPath: string): Promise<string[] | null> {
  const folder = modelPath.slice(0, modelPath.lastIndexOf('/') + 1);
  const parent = folder.replace(/[^/]+\/$/, '');
  for (const base of new Set([folder, parent]))
    for (const name of ['config.json', 'labels.json', 'labels.txt', 'classes.txt']) {
      if (!files.paths.includes(base + name)) continue;
      const text = (await textBeside(files, base + name)).replace(/^\uFEFF/, '');
      if (name.endsWith('.txt')) {
        const lines = text.split(/\r?\n/).map((line) => line.trim());
        while (lines.at(-1) === '') lines.pop();
        if (lines.length > 0) return lines;
        continue;
      }
      let json: unknown;
      try {
        json = JSON.parse(text);
      } catch {
        continue;
      }
      const config = v.safeParse(configSchema, json);
      if (config.success) return fromRecord(config.output.id2label);
      const list = name === 'labels.json' ? v.safeParse(listSchema, json) : null;
      if (list?.success) return Array.isArray(list.output) ? list.output : fromRecord(list.output);
    }
  return null;
}

/** What the trained model tells apart. */
export interface HeadChoice {
  /** new: the head is replaced. */
  readonly kind: 'keep' | 'new';
  /** By index of the logits. */
  readonly names: readonly string[];
  /** Index of the logits by label. */
  readonly indexOf: ReadonlyMap<string, number>;
  readonly problems: readonly TaskProblem[];
  /** Why, in a few words. */
  readonly why: string;
}

const plain = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, ' ')
    .trim();

/** Index by each of a class's names ("tabby, tabby cat" has two). */
function indexByName(names: readonly string[]): Map<string, number> {
  const index = new Map<string, number>();
  names.forEach((name, i) => {
    for (const part of [name, ...name.split(',')]) if (!index.has(plain(part))) index.set(plain(part), i);
  });
  return index;
}

const isIndex = (label: string): boolean => /^\d{1,7}$/.test(label);
const listed = (names: readonly string[]): string =>
  names.length > 8 ? `${names.slice(0, 8).join(', ')} … (${names.length})` : names.join(', ');

const NEW_HEAD: Mend = { words: 'Train a new last layer', options: { head: 'new' } };

/** That nothing says which class is which: the order is a guess. */
function unsaidOrder(classes: readonly string[]): TaskProblem {
  const message = `The model does not say its classes; they are taken in this order: ${listed(classes)}.`;
  return {
    severity: 'warning',
    item: 'head',
    message,
    cure: 'Say in which order the model has them, or train a new last layer.',
    mend: NEW_HEAD,
    group: { kind: 'class-order', words: message, items: classes },
  };
}

/** Names of the model's classes as a person listed them; null: nobody did. */
export function listedNames({ classNames }: { readonly classNames: string }): string[] | null {
  const names = classNames.split(';').map((name) => name.trim());
  return names.join('') === '' ? null : names;
}

/**
 * Chooses between the model's head and a new one.
 *
 * @param classes the data's labels, sorted
 * @param count of the model's logits
 * @param names of the model's classes; null: not known
 * @param asked auto: the head is kept if every label is one of the model's classes, by name or (where all labels are numbers and as many) by number
 */
export function chooseHead(
  classes: readonly string[],
  count: number,
  names: readonly string[] | null,
  asked: 'auto' | 'keep' | 'new',
): HeadChoice {
  const fitting = names?.length === count ? names : null;
  const numeric = classes.length > 0 && classes.every(isIndex);
  const byName = fitting ? indexByName(fitting) : new Map<string, number>();
  const indexOf = new Map<string, number>();
  for (const label of classes) {
    const named = byName.get(plain(label));
    const index = named ?? (numeric && Number(label) < count ? Number(label) : undefined);
    if (index !== undefined) indexOf.set(label, index);
  }
  const distinct = new Set(indexOf.values()).size === indexOf.size;
  const all = indexOf.size === classes.length && distinct;
  const shown = fitting ?? Array.from({ length: count }, (_, i) => `class ${i}`);
  const own: HeadChoice = {
    kind: 'new',
    names: classes,
    indexOf: new Map(classes.map((label, i) => [label, i])),
    problems: [],
    why: fitting ? 'the classes differ from the model’s' : 'the model does not say its classes',
  };
  if (asked === 'new') return { ...own, why: 'as asked' };
  if (asked === 'auto') {
    const byNumber = all && !classes.some((c) => byName.has(plain(c)));
    if (all && (!byNumber || classes.length === count))
      return { kind: 'keep', names: shown, indexOf, problems: [], why: 'all classes are the model’s own' };
    return own;
  }
  if (all) return { kind: 'keep', names: shown, indexOf, problems: [], why: 'as asked' };
  if (!fitting && !numeric && classes.length === count)
    return {
      kind: 'keep',
      names: classes,
      indexOf: own.indexOf,
      why: 'as asked',
      problems: [unsaidOrder(classes)],
    };
  const cure = 'Rename the class as the model has it, or train a new last layer.';
  const mend = NEW_HEAD;
  const lost = classes.filter((label) => !indexOf.has(label));
  const problems: TaskProblem[] = lost.map((label) => ({
    severity: 'error',
    item: label,
    message: isIndex(label)
      ? `The label ${label} is out of range: the model has the classes 0 to ${count - 1}.`
      : `The class "${label}" is not among the model's ${count} classes${fitting ? ` (${listed(fitting)})` : ', whose names are not known'}.`,
    cure,
    mend,
  }));
  if (!distinct)
    problems.push({
      severity: 'error',
      item: 'head',
      message: 'Two labels name the same class of the model.',
      cure,
      mend,
    });
  return { kind: 'keep', names: shown, indexOf, problems, why: 'as asked' };
}

/** The choice where the model has no classes of its own. */
export const addedHead = (classes: readonly string[]): HeadChoice => ({
  kind: 'new',
  names: classes,
  indexOf: new Map(classes.map((label, i) => [label, i])),
  problems: [],
  why: 'on top of the model’s embedding, which tells no classes apart',
});

/** Labels that look like numbers but cannot be classes, where all others are whole numbers. */
export function badNumbers(classes: readonly string[]): TaskProblem[] {
  const numbers = classes.filter((c) => /^[+-]?\d+(\.\d+)?$/.test(c));
  const bad = numbers.filter((c) => !isIndex(c));
  if (numbers.length !== classes.length || bad.length === 0) return [];
  return bad.slice(0, 20).map((label) => ({
    severity: 'error',
    item: label,
    message: `The label ${label} is out of range: classes are numbered 0, 1, 2 …`,
    cure: 'Rename the class, or leave it out.',
  }));
}
