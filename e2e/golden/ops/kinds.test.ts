/** @file What is left of the cases when one of each kind is taken: every operator, every word and flag of an attribute, every type of an input. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Case as PyTorchCase } from './cases.ts';
import type { Case } from './contribCases.ts';
import { oneOfEachKind } from './kinds.ts';

type Any = Pick<Case | PyTorchCase, 'op' | 'domain' | 'attributes' | 'inputs'>;

test.each(['cases.json', 'contrib.json'])('%s', (file) => {
  const { cases } = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as {
    cases: readonly Any[];
  };
  const few = oneOfEachKind(cases);
  expect(few.length).toBeLessThan(cases.length);
  const seen = (of: readonly Any[], what: (c: Any) => readonly string[]) =>
    [...new Set(of.flatMap((c) => what(c).map((x) => `${c.domain}::${c.op} ${x}`)))].sort();
  const words = (c: Any) =>
    Object.entries(c.attributes).map(([name, a]) =>
      a.kind === 'string' || name === 'bits' ? `${name} ${JSON.stringify(a.value)}` : name,
    );
  const types = (c: Any) => c.inputs.map((e, i) => `${i} ${e?.type ?? 'absent'} ${e?.shape.length ?? ''}`);
  expect(seen(few, () => [''])).toEqual(seen(cases, () => ['']));
  expect(seen(few, words)).toEqual(seen(cases, words));
  expect(seen(few, types)).toEqual(seen(cases, types));
});
