import { describe, expect, it } from 'vitest';
import { assignRules, describeBlocks } from './rules.ts';
import { planLayers } from './planning.ts';
import { conv, linear, plan } from '../testing/layers.ts';

const square = (path: string, n: number) => linear(path, n, { in: n });

describe('deciding', () => {
  const layers = [square('a.attn2.q', 320), conv('c', 64, 3, { in: 64 }), conv('d', 64, 1, { in: 64 })];
  const rules = [
    { match: { name: '*attn2*', out: '>=320' }, blocks: { count: 4 } },
    { match: { kind: 'conv', kernel: 3 }, skip: true },
  ] as const;

  it('lets the first rule win, and the plan decide the rest', () => {
    const { planned, problems } = planLayers(layers, plan({ rules }));
    expect(planned.map((p) => [p.layer.path, p.rule, p.count, p.size])).toEqual([
      ['a.attn2.q', 0, 4, 80],
      ['d', null, 16, 4],
    ]);
    expect(problems).toEqual([]);
    expect(assignRules(layers, plan({ rules }))).toEqual([0, 1, null]);
  });
  it('tells a rule that matches nothing from one whose layers others take, and names those', () => {
    const { problems } = planLayers(
      layers,
      plan({
        rules: [
          ...rules,
          { match: { name: '*attn2*' }, blocks: { size: 8 } },
          { match: { regex: 'attn3' }, skip: true },
          { match: { regex: '[qc]$' }, skip: true },
        ],
      }),
    );
    expect(problems).toMatchObject([
      {
        severity: 'warning',
        item: 'rule 3',
        message: expect.stringContaining('its one layer goes to rule 1') as string,
      },
      { severity: 'warning', item: 'rule 4', message: expect.stringContaining('matches no layer') as string },
      {
        severity: 'warning',
        item: 'rule 5',
        message: expect.stringContaining('all its 2 layers go to rules 1 and 2') as string,
        cure: 'Move it above rules 1 and 2, or remove it.',
      },
    ]);
  });
  it('makes a rule that cannot be read an error, and goes on without it', () => {
    const { planned, problems } = planLayers(
      layers,
      plan({ rules: [{ match: { regex: String.raw`(a)\1` }, skip: true }] }),
    );
    expect(planned).toHaveLength(3);
    expect(problems).toMatchObject([
      {
        severity: 'error',
        item: 'rule 1',
        message: expect.stringContaining(String.raw`"(a)\1" refers back to a group`) as string,
      },
    ]);
  });
  it('gives up expressions that take too long over all layers, and says which', () => {
    const many = Array.from({ length: 300 }, (_, i) => linear(`${'a1.'.repeat(60)}${i}`, 4));
    const rules = Array.from({ length: 3 }, (_, i) => ({ match: { regex: `^${'.{0,9}'.repeat(90)}Z${i}` } }));
    const { problems } = planLayers(many, plan({ rules: [{ match: { name: '*0' } }, ...rules] }));
    const spent = problems.filter(({ message }) => message.includes('takes more than 10 million steps'));
    expect(spent.map(({ item }) => item).sort()).toEqual(['rule 2', 'rule 3', 'rule 4']);
    expect(spent[0]?.cure).toContain('use globs in name');
  });
  it('leaves what a rule does not say to the plan', () => {
    const { planned } = planLayers(
      layers,
      plan({ constraint: 0.01, lrScale: 2, rules: [{ match: { kind: 'linear' }, lrScale: 0.5 }] }),
    );
    expect(planned.map((p) => [p.lrScale, p.constraint])).toEqual([
      [0.5, 0.01],
      [2, 0.01],
      [2, 0.01],
    ]);
  });
});

describe('counting', () => {
  it('counts stored and effective numbers', () => {
    const { planned } = planLayers([linear('a', 32)], plan({ rescale: true }));
    expect(planned[0]).toMatchObject({ count: 8, size: 4, stored: 8 * 16 + 32, effective: 8 * 6 + 32 });
  });
  it('counts the field’s table: LyCORIS dim 16, r = 4, PEFT b = 32', () => {
    const layers = [square('a', 320), square('b', 1280), linear('c', 10240, { in: 1280 })];
    const counts = (over: Parameters<typeof plan>[0]) =>
      planLayers(layers, plan(over)).planned.map((p) => [p.stored, p.effective]);
    expect(counts({ blocks: { dim: 16 } })).toEqual([
      [5120, 2400],
      [20480, 9600],
      [163840, 76800],
    ]);
    expect(counts({ blocks: { count: 4 } })).toEqual([
      [25600, 12640],
      [409600, 204160],
      [26214400, 13102080],
    ]);
    expect(counts({ blocks: { size: 32 }, side: 'input', parameters: 'triangle' })).toEqual([
      [4960, 4960],
      [19840, 19840],
      [19840, 19840],
    ]);
  });
});

describe('refusing', () => {
  it('says what cannot be trained', () => {
    expect(planLayers([], plan()).problems).toMatchObject([
      { severity: 'error', message: expect.stringContaining('no layer to adapt') as string },
    ]);
    expect(planLayers([linear('a', 8)], plan({ rules: [{ match: {}, skip: true }] })).problems).toMatchObject(
      [{ severity: 'error', message: expect.stringContaining('skipped by rules') as string }],
    );
    expect(planLayers([linear('a', 7)], plan()).problems).toMatchObject([
      { severity: 'error', message: expect.stringContaining('blocks of size 1') as string },
    ]);
  });
  it('names a misfit’s working values, once for all layers of a kind', () => {
    const { planned, problems } = planLayers(
      [linear('a', 30), linear('b', 30), linear('c', 42), linear('d', 32)],
      plan({ blocks: { size: 4 } }),
    );
    expect(planned.map((p) => p.layer.path)).toEqual(['d']);
    expect(problems).toMatchObject([
      {
        severity: 'error',
        item: 'a',
        message: 'a has 30 outputs, which blocks of 4 do not divide. The same holds for b.',
        cure: expect.stringContaining('3 or 5') as string,
      },
      { severity: 'error', item: 'c', cure: expect.stringContaining('3 or 6') as string },
    ]);
  });
  it('reports what was fitted', () => {
    const { planned, problems } = planLayers(
      [linear('a', 30, { in: 30 }), linear('b', 30, { in: 30 })],
      plan({ blocks: { size: 4, fit: 'nearest' } }),
    );
    expect(planned.map((p) => p.size)).toEqual([3, 3]);
    expect(problems).toMatchObject([
      { severity: 'warning', message: 'The blocks of the plan were fitted to a and 1 more: size 4 → 3.' },
    ]);
  });
});

it('describes blocks as a plan writes them', () => {
  expect(describeBlocks({ per: 'channel', share: true })).toBe('per = channel, share = true');
});
