/** @file Planning throws nothing, whatever stands in a plan, and never hangs on an expression that it takes. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { globMatches } from './match.ts';
import { preflight } from '../preflight/preflight.ts';
import { compileMatch } from './match.ts';
import { regexComplaint } from './regexGuard.ts';
import { conv, linear, plan } from '../testing/layers.ts';
import type { BlockChoice, Match, Rule } from '../types.ts';

/** Expressions from their own alphabet: most are nested, broken or strange. */
const expression = fc
  .array(
    fc.constantFrom(
      ...[
        'a',
        '.',
        '*',
        '+',
        '?',
        '|',
        '(',
        ')',
        '(?:',
        '(?=',
        '(?<!',
        '[a-c]',
        '[^.]',
        '{2,}',
        '{1,3}',
        '^',
        '$',
      ],
      ...[
        String.raw`\d`,
        String.raw`\w`,
        String.raw`\.`,
        String.raw`\1`,
        String.raw`\b`,
        '\\',
        ']',
        '[',
        '{',
      ],
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''));

const comparison = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom('>=3', '<-2', '!=4', '>'),
  fc.integer(),
);
const wild: fc.Arbitrary<Match> = fc.record(
  {
    name: fc.string({ maxLength: 8 }),
    regex: fc.oneof(expression, fc.string({ maxLength: 8 })),
    kernel: fc.integer({ min: 0, max: 4 }),
    groups: comparison,
    in: comparison,
    out: comparison,
    position: comparison,
    part: fc.string({ maxLength: 4 }),
  },
  { requiredKeys: [] },
);
const match: fc.Arbitrary<Match> = fc.oneof(
  wild,
  fc.constantFrom<Match[]>({}, { kind: 'linear' }, { kernel: 3 }, { position: -1 }),
);
const number = fc.oneof(fc.integer({ min: -3, max: 70 }), fc.double({ min: -2, max: 50, noNaN: true }));
const blocks: fc.Arbitrary<BlockChoice> = fc.record(
  {
    dim: number,
    count: number,
    size: number,
    per: fc.constant('channel' as const),
    share: fc.boolean(),
    stages: number,
    fit: fc.constantFrom('exact' as const, 'nearest' as const),
    maxSize: number,
    maxParams: number,
  },
  { requiredKeys: [] },
);
const rule: fc.Arbitrary<Rule> = fc.record(
  {
    match,
    blocks,
    skip: fc.boolean(),
    algorithm: fc.constantFrom('diag' as const, 'boft' as const),
    side: fc.constantFrom('input' as const, 'output' as const),
    neumannTerms: fc.constantFrom(null, 1, 5),
    constraint: fc.constantFrom(0, 1e-9, 1, 1e9),
    clamp: fc.constantFrom('lycoris' as const, 'comfyui' as const, 'peft' as const, 'paper' as const),
    lrScale: fc.constantFrom(0, 1),
    rescale: fc.boolean(),
  },
  { requiredKeys: ['match'] },
);
const layers = [
  linear('down_blocks.0.to_q', 24, { in: 32 }),
  linear('odd', 7, { in: 9, part: 'unet' }),
  conv('conv', 12, 3, { in: 8, groups: 4 }),
  conv('line', 16, 3, { in: 4, kernel: [5], stride: [1] }),
];

it('throws nothing on any plan, and has a row for every layer that fits its state', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), blocks, (rules, own) => {
      const { rows, problems } = preflight(layers, plan({ rules, blocks: own }));
      expect(rows.map((r) => r.layer)).toEqual(layers);
      for (const row of rows) {
        seen.add(row.state);
        const p = row.planned;
        expect(p !== null).toBe(row.state === 'adapted' || row.state === 'identity');
        if (p) expect(p.count * p.size).toBe(p.width);
        if (row.state === 'error') {
          expect(row.message).toBeTruthy();
          expect(problems.some((x) => x.severity === 'error')).toBe(true);
        }
      }
    }),
    { numRuns: depth(300, 1500), seed: 7 },
  );
  expect([...seen].sort()).toEqual(['adapted', 'error', 'identity', 'skipped']);
});

it('takes no expression that hangs: all that pass match a long hostile path at once', () => {
  let taken = 0;
  const hostile = ['a'.repeat(60), 'a.'.repeat(30), 'abc1'.repeat(15)];
  fc.assert(
    fc.property(expression, (source) => {
      if (regexComplaint(source)) return;
      taken++;
      const matches = compileMatch({ regex: source });
      for (const path of hostile) matches(linear(`${path}\n`, 4), 0, 1, { left: 1e6 });
    }),
    { numRuns: depth(4000, 20_000), seed: 11 },
  );
  expect(taken).toBeGreaterThan(depth(200, 1000));
});

it('matches globs as the expression would that they stand for', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
  fc.assert(
    fc.property(glob, text, (g, t) => {
      const source = g
        .replaceAll('.', String.raw`\.`)
        .replaceAll(/\*+/g, '.*')
        .replaceAll('?', '.');
      expect(globMatches(g, t)).toBe(new RegExp(`^${source}$`).test(t));
    }),
    { numRuns: depth(1000, 5000), seed: 5 },
  );
});
