import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { factorization } from './factorization.ts';

interface Row {
  readonly dimension: number;
  readonly factor: number;
  readonly result: readonly [number, number];
}

const table = JSON.parse(readFileSync('e2e/golden/oft/factorization.json', 'utf8')) as Row[];

it(`gives LyCORIS's factors for all ${table.length} rows of its table`, () => {
  const wrong = table.filter((r) => factorization(r.dimension, r.factor).join() !== r.result.join());
  expect(table.length).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});
