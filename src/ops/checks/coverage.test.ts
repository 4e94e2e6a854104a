import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { coveragePage } from './coverage.ts';
import { operators } from '../table.ts';

it('docs/operators.md is what the table says; `npm run operators` writes it', () => {
  const page = readFileSync(new URL('../../../docs/operators.md', import.meta.url), 'utf8');
  expect(page).toBe(coveragePage());
});

it('every operator has a gradient, none by nature, or a reason to be refused', () => {
  const without = Object.entries(operators).flatMap(([key, o]) =>
    o.grad || o.expand || o.refused ? [] : [key],
  );
  // A gradient through rounded activations must be an error, not zero; Upsample and Scatter become others.
  expect(without.sort()).toEqual(['DynamicQuantizeLinear', 'QuantizeLinear', 'Scatter', 'Upsample']);
});
