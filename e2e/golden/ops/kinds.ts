/** @file Which of many cases are of different kinds, where another test has the numbers of all. */
import type { Attribute, Attributes } from '#src/onnx/model.ts';

interface Described {
  readonly op: string;
  readonly domain: string;
  readonly attributes: Attributes;
  readonly inputs: readonly ({
    readonly type: string;
    readonly shape: readonly number[];
    readonly constant?: true;
  } | null)[];
}

/** A choice counts by its value: words, flags, numbers of bits. Sizes, axes and floats only by being there. */
const choice = (name: string, a: Attribute): unknown =>
  a.kind === 'string' || (a.kind === 'int' && (name === 'bits' || a.value === 0 || a.value === 1))
    ? a.value
    : a.kind;

/** What a case shows of its operator: each choice, each type and rank of an input, each input left out. */
const shows = ({ op, domain, attributes, inputs }: Described): string[] =>
  [
    ['runs'],
    ...Object.entries(attributes).map(([name, a]) => [name, choice(name, a)]),
    ...inputs.map((e, i) => [i, e?.type, e?.shape.length, e?.constant]),
  ].map((what) => JSON.stringify([domain, op, ...what]));

/** Of each operator the case that shows most: where every kind of case takes minutes. */
export function oneOfEachOperator<C extends Described>(cases: readonly C[]): C[] {
  const best = new Map<string, C>();
  for (const c of cases) {
    const key = JSON.stringify([c.domain, c.op]);
    const before = best.get(key);
    if (!before || new Set(shows(c)).size > new Set(shows(before)).size) best.set(key, c);
  }
  return [...best.values()];
}

/** Cases that show something of their operator that none before them showed. */
export function oneOfEachKind<C extends Described>(cases: readonly C[]): C[] {
  const seen = new Set<string>();
  return cases.filter((c) => {
    const before = seen.size;
    for (const what of shows(c)) seen.add(what);
    return seen.size > before;
  });
}
