/** @file Structured data with one of their parts exchanged, at any depth. */

const odd = (): readonly unknown[] => [
  null,
  undefined,
  -1,
  NaN,
  'x',
  {},
  [],
  new Float32Array(1),
  2 ** 60,
  true,
];

const pick = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)]!;

export function spoiled(value: unknown, random: () => number): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || random() < 0.15)
    return pick(odd(), random);
  const names = Object.keys(value);
  if (names.length === 0) return pick(odd(), random);
  const name = pick(names, random);
  const inner = spoiled((value as Record<string, unknown>)[name], random);
  return Array.isArray(value)
    ? value.map((v: unknown, i) => (String(i) === name ? inner : v))
    : { ...value, [name]: inner };
}
