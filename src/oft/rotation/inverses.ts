/** @file The inverses M = (I − Q)⁻¹ that a training step hands on to the next, which refines them: state beside the parameters that they belong to. */
import { CLOSED_FORM } from './cayley.ts';
import { clampedSkew, inverseBlock } from './hostRotation.ts';
import { type BlockGroup, type Layout, readParameters } from './parameters.ts';

const PREFIX = 'inverse_';

/** Whether the group's inverses are found round by round: exact ones of blocks that have no closed form. */
export const hasInverse = ({ size, neumannTerms }: BlockGroup): boolean =>
  neumannTerms === null && size > CLOSED_FORM;

export const inverseGroups = ({ groups }: Layout): readonly BlockGroup[] => groups.filter(hasInverse);

/** State with a group's M [count, b, b]. */
export const inverseName = (group: BlockGroup): string => PREFIX + group.name;

/** Numbers of each such state, by name. */
export const inverseLengths = (layout: Layout): ReadonlyMap<string, number> =>
  new Map(inverseGroups(layout).map((group) => [inverseName(group), group.count * group.size ** 2]));

/** Whether a state of that name holds inverses. */
export const isInverse = (name: string): boolean => name.startsWith(PREFIX);

type State = Readonly<Record<string, Float32Array>>;

/** Every group's M, row-major, by the name of its state: found in float64. @param theta [layout.size] */
export function hostInverses(layout: Layout, theta: Float32Array): State {
  const groups = inverseGroups(layout);
  if (groups.length === 0) return {};
  const layers = readParameters(layout, theta);
  return Object.fromEntries(
    groups.map((group) => {
      const { count, size: b } = group;
      const all = new Float32Array(count * b * b);
      for (const { index, first } of group.layers) {
        const q = clampedSkew(layout.planned[index]!, layers[index]!.blocks);
        for (let at = 0; at < q.length; at += b * b)
          all.set(inverseBlock(q.subarray(at, at + b * b), b), first * b * b + at);
      }
      return [inverseName(group), all];
    }),
  );
}

/** The state with those of its inverses that are missing, where it has parameters that they can be found from. */
export function withInverses(layout: Layout, state: State): State {
  const { theta } = state;
  if (!theta || inverseGroups(layout).every((group) => inverseName(group) in state)) return state;
  return { ...hostInverses(layout, theta), ...state };
}

/** The state with inverses of its parameters in place of those that it came with. */
export const withFreshInverses = (layout: Layout, state: State): State =>
  withInverses(layout, Object.fromEntries(Object.entries(state).filter(([name]) => !isInverse(name))));
