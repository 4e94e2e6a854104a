import { describe, expect, it } from 'vitest';
import { compares, compileMatch, describeMatch, globMatches, MatchError } from './match.ts';
import { regexComplaint } from './regexGuard.ts';
import { conv, linear } from '../testing/layers.ts';
import type { Layer, Match } from '../types.ts';

const layers: readonly Layer[] = [
  conv('conv_in', 8, 3, { in: 4, part: 'unet' }),
  linear('down.0.attn1.to_q', 320, { in: 64, part: 'unet' }),
  conv('down.0.conv', 16, 3, { in: 16, groups: 16, stride: [2, 2], part: 'unet' }),
  conv('down.0.shortcut', 16, 1, { in: 8, part: 'unet' }),
  conv('down.1.wide', 16, 3, { kernel: [3, 1], stride: [2, 1] }),
  linear('text_model.encoder.layers.0.mlp.fc1', 640, { part: 'text_encoder_2' }),
];

/** Places of the layers that match. */
const found = (match: Match): number[] => {
  const matches = compileMatch(match);
  return layers.flatMap((layer, i) => (matches(layer, i, layers.length) ? i : []));
};

describe('attributes', () => {
  it.each<[Match, number[]]>([
    [{}, [0, 1, 2, 3, 4, 5]],
    [{ kind: 'linear' }, [1, 5]],
    [{ kernel: 3 }, [0, 2]],
    [{ kernel: 1 }, [3]],
    [{ stride: 2 }, [2]],
    [{ groups: '>1' }, [2]],
    [{ groups: 16 }, [2]],
    [{ in: '<=8', kind: 'conv' }, [0, 3]],
    [{ out: '>=320' }, [1, 5]],
    [{ out: '!=16', part: 'unet' }, [0, 1]],
    [{ position: 0 }, [0]],
    [{ position: -1 }, [5]],
    [{ position: '>=-2' }, [4, 5]],
    [{ position: '<2' }, [0, 1]],
    [{ role: 'query' }, [1]],
    [{ role: 'feed-forward' }, [5]],
    [{ part: 'text_encoder*' }, [5]],
    [{ part: 'text_encoder' }, []],
    [{ name: '*.0.*' }, [1, 2, 3, 5]],
    [{ regex: String.raw`attn\d\.to_[qk]$` }, [1]],
    [{ regex: '^conv', kernel: 3 }, [0]],
  ])('%j', (match, expected) => expect(found(match)).toEqual(expected));

  it('compares widths', () => {
    expect([
      compares('>=320', 320),
      compares('<64', 64),
      compares(8, 8),
      compares('!=8', 8),
      compares('== 8', 8),
    ]).toEqual([true, false, true, false, true]);
    expect(() => compares('about 3', 3)).toThrow(/not a comparison/);
  });
  it('says which condition cannot be read, and how to write it', () => {
    expect(() => compileMatch({ out: '~3' })).toThrow(/^out is "~3"/);
    expect(() => compileMatch({ regex: '(' })).toThrow(MatchError);
  });
  it('describes itself', () => {
    expect(describeMatch({ name: '*q', out: '>=8' })).toBe('name *q, out >=8');
    expect(describeMatch({})).toBe('everything');
  });
});

describe('globs', () => {
  it('take all but * and ? as it stands', () => {
    expect(globMatches('*attn2*', 'a.attn2.to_q')).toBe(true);
    expect(globMatches('a.b', 'axb')).toBe(false);
    expect(globMatches('down.?.conv', 'down.1.conv')).toBe(true);
    expect(globMatches('[qk]', 'q')).toBe(false);
    expect(globMatches('', 'a')).toBe(false);
    expect(globMatches('**', '')).toBe(true);
    expect(globMatches('a*b*c', 'a.b.b.c')).toBe(true);
    expect(globMatches('a*b*c', 'a.b.b.c.')).toBe(false);
  });
  it('do not slow down with many stars', () => {
    // Backtracking would try about 10³⁰ ways.
    expect(globMatches('*a'.repeat(200) + 'b', 'a'.repeat(400))).toBe(false);
  });
});

describe('regular expressions', () => {
  it.each([
    [String.raw`(a)\1`, /refers back/],
    [String.raw`(?<x>a)\k<x>`, /refers back/],
    ['(?:a{100}){100}', /more than 4000 steps/],
    ['a'.repeat(2001), /2001 characters/],
    ['(', /no regular expression/],
    ['[z-a]', /no regular expression/],
  ])('refuse %s', (source, reason) => expect(regexComplaint(source)?.reason).toMatch(reason));

  it.each([
    '',
    String.raw`\.to_[qkv]$`,
    String.raw`^(down|up)_blocks\.\d+\.attentions\.\d+\.`,
    String.raw`(?:^|\.)(?:attentions\.\d+|resnets\.\d+|encoder\.layers\.\d+\.mlp|(?<!encoder\.)layers\.\d+\.mlp)(?:\.|$)`,
    String.raw`^(?=.*(?:attn))(?=.*(?:to_q))(?=.*1)(?=.*2)`,
    '^.*foo.*bar.*baz.*$',
    '(abc)+',
    '(down|up)?x',
    String.raw`[)(]+\)`,
    String.raw`(\d+)?`,
    '[](?:a)[^]b',
    '(a+)+$',
    '(a|aa)+$',
    String.raw`(\w+\.)+x`,
    `^${'.?'.repeat(40)}ZZ`,
  ])('take %s', (source) => expect(regexComplaint(source)).toBeNull());

  it.each([
    `^${'.?'.repeat(40)}ZZ`,
    `^${'a+'.repeat(10)}ZZ`,
    `^${String.raw`\d+`.repeat(10)}ZZ`,
    '^(a+)+$',
    '^(?:a|aa)+$',
    '^(?=(?:a*)*b)',
  ])('match with what would take JavaScript for ever: %s', (regex) => {
    const layer = linear(`${'a1'.repeat(30)}${'a'.repeat(40)}${'1'.repeat(40)}c`, 4);
    expect(compileMatch({ regex })(layer, 0, 1)).toBe(false);
  });

  it('cost the same steps each time', () => {
    const matches = compileMatch({ regex: '(a|aa)+$' });
    const cost = (): number => {
      const steps = { left: 1e6 };
      matches(linear('aaaaaab', 4), 0, 1, steps);
      return 1e6 - steps.left;
    };
    expect(cost()).toBe(cost());
  });
});
