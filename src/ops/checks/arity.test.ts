import { describe, expect, it } from 'vitest';
import type { Node } from '#src/onnx/model.ts';
import { json } from '../../../e2e/golden/testing/fixtures.ts';
import { checkArity } from './arity.ts';
import { integerOperators } from '../integers/floatForm.ts';
import { resolved } from './support.ts';
import { operators } from '../table.ts';

/** [first version, inputs, outputs] by operator, as e2e/golden/arity/make.py takes them from the schemas. */
const schemas = json('arity/arity.json') as Record<string, [number, string, string][]>;
const known = [...Object.keys(operators), ...resolved, ...integerOperators].filter((key) => schemas[key]);

const node = (key: string, inputs: readonly boolean[], outputs: number): Node => ({
  op: key.replace(/^.*::/, ''),
  domain: /^(.*)::/.exec(key)?.[1] ?? '',
  name: 'n',
  inputs: inputs.map((given, i) => (given ? `x${i}` : '')),
  outputs: Array.from({ length: outputs }, (_, i) => `y${i}`),
  attributes: {},
});

const taken = (n: Node): boolean => {
  try {
    checkArity(n);
    return true;
  } catch {
    return false;
  }
};

/** Presence of each input under a pattern: all, the required ones alone, and each optional one left out or given by itself. */
function* presences(pattern: string): Generator<boolean[]> {
  const letters = [...pattern.replace('*', '')];
  yield letters.map(() => true);
  if (pattern.endsWith('*')) yield [...letters.map(() => true), true, true, true, true, true];
  yield letters.slice(0, pattern.lastIndexOf('s') + 1).map((c) => c === 's');
  for (const [i, c] of letters.entries()) {
    if (c !== 'o') continue;
    yield letters.map((_, k) => k !== i);
    yield letters.map((d, k) => d === 's' || k === i);
  }
}

const fewest = (pattern: string): number => pattern.lastIndexOf('s') + 1;
const length = (pattern: string): number => (pattern.endsWith('*') ? 12 : pattern.length);

describe('inputs and outputs', () => {
  it('are known of every operator that is', () => {
    expect(known.length).toBeGreaterThan(240);
  });

  it.each(known)('%s: all that any version allows is taken', (key) => {
    for (const [, inputs, outputs] of schemas[key]!)
      for (const given of presences(inputs))
        for (let n = Math.max(1, fewest(outputs)); n <= length(outputs); n++)
          expect(taken(node(key, given, n)), `${inputs} ${given.join()} → ${n}`).toBe(true);
  });

  it.each(known)('%s: what no version allows is refused', (key) => {
    const forms = schemas[key]!;
    const [inputs, outputs] = [forms.map((f) => f[1]), forms.map((f) => f[2])];
    const all = (n: number): boolean[] => Array.from({ length: n }, () => true);
    const right = inputs[0]!.replace('*', '').length;
    const made = Math.max(1, fewest(outputs[0]!));
    // What one version requires another may leave out (Scan's first input): only what all require can be missed.
    const required = Array.from({ length: right }, (_, i) => inputs.every((p) => p[i] === 's'));
    for (let n = 0; n <= required.lastIndexOf(true); n++)
      expect(taken(node(key, all(n), made)), `${n} inputs`).toBe(false);
    if (!inputs.some((p) => p.endsWith('*'))) {
      const most = Math.max(...inputs.map((p) => p.length));
      expect(taken(node(key, all(most + 1), made)), `${most + 1} inputs`).toBe(false);
    }
    for (let i = 0; i < right; i++)
      if (required[i])
        expect(
          taken(
            node(
              key,
              all(Math.max(right, i + 2)).map((_, k) => k !== i),
              made,
            ),
          ),
          `without ${i}`,
        ).toBe(false);
    for (let n = 0; n < Math.min(...outputs.map(fewest)); n++)
      expect(taken(node(key, all(right), n)), `${n} outputs`).toBe(false);
    if (!outputs.some((p) => p.endsWith('*'))) {
      const most = Math.max(...outputs.map((p) => p.length));
      expect(taken(node(key, all(right), most + 1)), `${most + 1} outputs`).toBe(false);
    }
  });
});
