/** @file What was found in the picked arrays, held against what the model wants: by the rules that the task goes by, from types and shapes alone. */
import type { DType } from '#src/onnx/model.ts';
import { freeNames, rolesOf } from '#src/tasks/generic/roles.ts';
import { count } from '../words/format.ts';
import type { FoundArray, FoundArrays } from './arrayFiles.ts';
import type { ArrayOptions, Size, Wanted, WantedArray } from './arrayTemplate.ts';

export interface MatchedArray {
  readonly wanted: WantedArray;
  /** null: it is missing. */
  readonly found: FoundArray | null;
  readonly fits: boolean;
  /** Why not, or what is done with it; '': it is taken as it is. */
  readonly words: string;
}

export interface MatchedArrays {
  readonly rows: readonly MatchedArray[];
  /** Examples, or batches where the first axis or the files count those; null: there is no telling. */
  readonly count: number | null;
  readonly counted: 'example' | 'batch';
  /** Arrays that nothing takes. */
  readonly unused: readonly string[];
  /** Arrays to choose the target among, where its name does not say which it is; []: there is nothing to choose. */
  readonly targets: readonly string[];
}

const isFloat = (type: DType): boolean => type === 'bfloat16' || type.startsWith('float');

/** "4 numbers", "3 × 32 × 32 numbers"; sizes that are left open are said as such. */
const sizesText = (sizes: readonly Size[]): string => {
  if (sizes.length === 0) return 'one number';
  if (sizes.length === 1 && sizes[0] === 1) return '1 number';
  const said = sizes.map((size) => (typeof size === 'number' ? String(size) : 'any'));
  return `${said.join(' × ')} numbers`;
};

/** Sizes by name that the arrays looked at so far have. */
type Named = Map<string, { readonly size: number; readonly by: string }>;

const fitsSizes = (own: readonly number[], sizes: readonly Size[]): boolean =>
  own.length === sizes.length && sizes.every((size, axis) => typeof size !== 'number' || size === own[axis]);

/** Shares of classes, where labels could stand. */
const areShares = (own: readonly number[], type: DType, { labels }: WantedArray): boolean =>
  labels !== undefined && isFloat(type) && fitsSizes(own, labels.shares);

const fitsShape = (own: readonly number[], type: DType, array: WantedArray): boolean =>
  fitsSizes(own, array.sizes) ||
  (array.labels !== undefined && fitsSizes(own, array.labels.or)) ||
  areShares(own, type, array);

/** Why a size by name differs from that of another array; null: it does not. */
function unlike(name: string, own: readonly number[], sizes: readonly Size[], named: Named): string | null {
  if (own.length !== sizes.length) return null;
  for (const [axis, size] of sizes.entries()) {
    if (typeof size !== 'string') continue;
    const other = named.get(size);
    if (other && other.size !== own[axis])
      return `${name} has ${own[axis]} where ${other.by} has ${other.size} (${size}).`;
    named.set(size, { size: own[axis]!, by: name });
  }
  return null;
}

/** What is done with numbers of that type; '': nothing. */
function typeWords({ name, type }: FoundArray, { type: to, role }: WantedArray): string {
  // Labels are read from whole numbers of any type.
  if (type === to || (role === 'target' && !isFloat(to) && !isFloat(type))) return '';
  return isFloat(type) && !isFloat(to)
    ? `${name} is ${type}: it must hold whole numbers, which will be turned into ${to}.`
    : `${name} is ${type}: it will be turned into ${to}.`;
}

/** @param options of the job's task */
export function matchArrays(
  wanted: Wanted,
  { arrays, batches }: Pick<FoundArrays, 'arrays' | 'batches'>,
  options: ArrayOptions,
): MatchedArrays {
  const wish = typeof options.target === 'string' ? options.target : '';
  const inputs = wanted.arrays.filter(({ role }) => role === 'input');
  const wantedTarget = wanted.arrays.find(({ role }) => role === 'target');
  const byName = new Map(arrays.map((array) => [array.name, array]));
  const roles = rolesOf(
    inputs.map(({ name }) => name),
    [...byName.keys()],
    { target: wish, needed: wantedTarget !== undefined },
  );
  const foundFor = ({ name, role }: WantedArray): FoundArray | null =>
    byName.get((role === 'input' ? roles.inputs.get(name) : roles.target) ?? '') ?? null;
  const perExample = wanted.per === 'example';
  // An axis more than the input has counts batches.
  const deeper =
    perExample &&
    batches === null &&
    inputs.some((input) => foundFor(input)?.shape.length === input.sizes.length + 2);
  const lead = batches === null ? (deeper ? 2 : 1) : perExample ? 1 : 0;
  const own = ({ shape }: FoundArray): readonly number[] => shape.slice(lead);
  const counted = deeper || !perExample || batches !== null ? 'batch' : 'example';
  const first = wanted.arrays.map(foundFor).find((array) => array !== null && array.shape.length > 0);
  const total = batches ?? first?.shape[0] ?? null;
  const named: Named = new Map();
  const free = freeNames([...byName.keys()], roles);
  const fitting = (array: WantedArray, names: readonly string[]): string[] =>
    names.filter((name) => {
      const each = byName.get(name)!;
      return fitsShape(own(each), each.type, array);
    });

  function match(array: WantedArray): MatchedArray {
    const found = foundFor(array);
    const wrong = (words: string): MatchedArray => ({ wanted: array, found, fits: false, words });
    if (!found) {
      if (array.role === 'target')
        return wrong(
          wish === '' ? 'Nothing says which array is the target.' : `There is no array “${wish}”.`,
        );
      const near = fitting(
        array,
        free.filter((name) => name !== roles.target),
      );
      return wrong(
        `${array.name} is missing.${near.length === 1 ? ` “${near[0]!}” would fit: save it as “${array.name}”.` : ''}`,
      );
    }
    const { name, path, also, shape } = found;
    if (also !== undefined) return wrong(`${name} is in ${path} and in ${also}: choose one of the two.`);
    if (shape.length < lead || shape.length === 0) return wrong(`${name} has no axis that counts examples.`);
    if (shape.includes(0)) return wrong(`${name} is empty.`);
    if (batches === null && shape[0] !== total)
      return wrong(
        `${name} has ${count(shape[0]!)} ${counted === 'batch' ? 'batches' : 'examples'}, ${first!.name} has ${count(total!)}.`,
      );
    const { type } = found;
    if (!fitsShape(own(found), type, array)) {
      const takes = array.labels
        ? 'the loss takes'
        : array.role === 'target'
          ? 'the model gives'
          : 'the model takes';
      return wrong(
        `${name} has ${sizesText(own(found))} per ${wanted.per}, ${takes} ${sizesText(array.sizes)}.`,
      );
    }
    const differs = array.role === 'input' ? unlike(name, own(found), array.sizes, named) : null;
    if (differs !== null) return wrong(differs);
    return {
      wanted: array,
      found,
      fits: true,
      words: areShares(own(found), type, array) ? '' : typeWords(found, array),
    };
  }
  const rows = wanted.arrays.map(match);
  const target = rows.find((row) => row.wanted.role === 'target');
  const candidates = target ? fitting(target.wanted, free) : [];
  const asked = target !== undefined && (wish !== '' || !target.fits) && candidates.length > 0;
  return {
    rows,
    count: total,
    counted,
    unused: free.filter((name) => name !== roles.target),
    targets: asked ? candidates : [],
  };
}
