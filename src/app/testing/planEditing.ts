/** @file Edits as a person makes them in the plan editor, for property tests. */
import fc from 'fast-check';
import type { BlockChoice, LayerSettings, Match } from '#src/oft/types.ts';
import type { Way } from '../plan/planEdits.ts';

export type Edit =
  | { readonly kind: 'set'; readonly part: Partial<LayerSettings> }
  | { readonly kind: 'cut'; readonly at: number; readonly way: Way }
  | { readonly kind: 'option'; readonly at: number; readonly part: Partial<BlockChoice> }
  | {
      readonly kind: 'rule';
      readonly at: number;
      readonly part: Partial<LayerSettings> & { readonly skip?: boolean };
    }
  | { readonly kind: 'match'; readonly at: number; readonly part: Partial<Match> }
  | { readonly kind: 'add' | 'undo' }
  | { readonly kind: 'remove'; readonly at: number }
  | { readonly kind: 'move'; readonly at: number; readonly to: number };

const number = (max: number) => fc.integer({ min: 1, max });
/** One field at a time, as fields change; a rule's may be emptied. */
const one = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.oneof(
    ...Object.entries(fields).map(([key, value]) =>
      (value as fc.Arbitrary<unknown>).map((v) => ({ [key]: v }) as Partial<T>),
    ),
  );

const fields = {
  algorithm: fc.constantFrom('diag' as const, 'boft' as const),
  side: fc.constantFrom('output' as const, 'input' as const),
  parameters: fc.constantFrom('full' as const, 'triangle' as const),
  neumannTerms: fc.option(number(8), { nil: null }),
  constraint: fc.constantFrom(0, 0.01, 3),
  clamp: fc.constantFrom('lycoris' as const, 'comfyui' as const, 'peft' as const, 'paper' as const),
  rescale: fc.boolean(),
  moduleDropout: fc.constantFrom(0, 0.1, 1),
  rankDropout: fc.constantFrom(0, 0.1, 1),
  lrScale: fc.constantFrom(0, 1, 2),
};
const emptied = (key: string) => fc.constant({ [key]: undefined });

/** What is typed into conditions, right and wrong. */
const match = one<Required<Match>>({
  name: fc.constantFrom('*attn*', 'no such layer', '['),
  regex: fc.constantFrom('to_q$', '(', String.raw`(a)\1$`),
  kind: fc.constantFrom('linear' as const, 'conv' as const),
  kernel: fc.constantFrom(1, 3),
  stride: number(2),
  groups: fc.constantFrom(1, '>1', 'many'),
  in: fc.constantFrom(32, '>=96', '=>96'),
  out: fc.constantFrom(64, '<64', 'wide'),
  position: fc.constantFrom(0, -1, '<3', 'last'),
  role: fc.constantFrom('query' as const, 'head' as const),
  part: fc.constantFrom('unet', 'text_encoder'),
}) as fc.Arbitrary<Partial<Match>>;

/** −1: the plan's own settings; else a rule's place, there or not. */
const place = fc.integer({ min: -1, max: 4 });
const rulePlace = fc.integer({ min: 0, max: 4 });

export const arbitraryEdit: fc.Arbitrary<Edit> = fc.oneof(
  one(fields).map((part) => ({ kind: 'set' as const, part })),
  fc.record({
    kind: fc.constant('cut' as const),
    at: place,
    way: fc.constantFrom('dim' as const, 'count' as const, 'size' as const, 'per' as const),
  }),
  fc.record({
    kind: fc.constant('option' as const),
    at: place,
    part: fc.oneof(
      one<Required<Omit<BlockChoice, 'per'>>>({
        dim: fc.constantFrom(-1, 4, 7),
        count: fc.constantFrom(3, 4),
        size: fc.constantFrom(1, 8, 5),
        share: fc.boolean(),
        stages: number(6),
        fit: fc.constant('nearest' as const),
        maxSize: number(16),
        maxParams: number(2000),
      }) as fc.Arbitrary<Partial<BlockChoice>>,
      fc.constantFrom('share', 'stages', 'fit', 'maxSize', 'maxParams').chain(emptied),
    ),
  }),
  fc.record({
    kind: fc.constant('rule' as const),
    at: rulePlace,
    part: fc.oneof(
      one({ ...fields, skip: fc.option(fc.constant(true), { nil: undefined }) }),
      fc.constantFrom(...Object.keys(fields), 'blocks').chain(emptied),
    ),
  }),
  fc.record({
    kind: fc.constant('match' as const),
    at: rulePlace,
    part: fc.oneof(match, fc.constantFrom('name', 'regex', 'kind', 'in', 'out').chain(emptied)),
  }),
  fc.constantFrom({ kind: 'add' as const }, { kind: 'add' as const }, { kind: 'undo' as const }),
  fc.record({ kind: fc.constant('remove' as const), at: rulePlace }),
  fc.record({ kind: fc.constant('move' as const), at: rulePlace, to: rulePlace }),
);
