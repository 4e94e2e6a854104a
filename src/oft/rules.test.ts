import { describe, expect, it } from 'vitest';
import { compares, globMatches, planLayers } from './rules.ts';
import { conv, linear, plan } from './testing/layers.ts';

describe('rules', () => {
  it('matches globs literally but for * and ?', () => {
    expect(globMatches('*attn2*', 'a.attn2.to_q')).toBe(true);
    expect(globMatches('a.b', 'axb')).toBe(false);
    expect(globMatches('down.?.conv', 'down.1.conv')).toBe(true);
  });
  it('compares widths', () => {
    expect([compares('>=320', 320), compares('<64', 64), compares(8, 8), compares('!=8', 8)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(() => compares('about 3', 3)).toThrow(/not a comparison/);
  });
  it('lets the first rule win and reports the one that never does', () => {
    const { planned, problems } = planLayers(
      [linear('a.attn2.q', 320), conv('c', 64), conv('d', 64, 1)],
      plan({
        rules: [
          { match: { name: '*attn2*', out: '>=320' }, blocks: { count: 4 } },
          { match: { kind: 'conv', kernel: 3 }, skip: true },
          { match: { name: '*attn2*' }, blocks: { size: 8 } },
        ],
      }),
    );
    expect(planned.map((p) => [p.layer.path, p.rule, p.count, p.size])).toEqual([
      ['a.attn2.q', 0, 4, 80],
      ['d', null, 16, 4],
    ]);
    expect(problems).toMatchObject([{ severity: 'warning', item: 'rule 3' }]);
  });
  it('counts stored and effective numbers', () => {
    const { planned } = planLayers([linear('a', 32)], plan({ rescale: true }));
    expect(planned[0]).toMatchObject({ count: 8, size: 4, stored: 8 * 16 + 32, effective: 8 * 6 + 32 });
  });
  it('refuses what cannot be trained', () => {
    expect(planLayers([], plan()).problems[0]).toMatchObject({
      severity: 'error',
      message: expect.stringContaining('no layer to adapt') as string,
    });
    expect(planLayers([linear('a', 30)], plan({ blocks: { size: 4 } })).problems[0]!.cure).toContain(
      '3 or 5',
    );
    expect(planLayers([linear('a', 7)], plan()).problems[0]).toMatchObject({
      severity: 'error',
      message: expect.stringContaining('size 1') as string,
    });
    expect(planLayers([linear('a', 7), linear('b', 8)], plan()).problems).toMatchObject([
      { severity: 'warning', item: 'a' },
    ]);
  });
});
