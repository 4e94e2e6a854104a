import { describe, expect, it } from 'vitest';
import { planLayers } from './planning.ts';
import { conv, linear, plan } from '../testing/layers.ts';
import type { Layer, Plan } from '../types.ts';
import { largestMeanAngle } from './warnings.ts';

const square = (path: string, n: number) => linear(path, n, { in: n });
const two = [square('a', 64), square('b', 64)];
const problems = (over: Partial<Plan>, layers: readonly Layer[] = two) =>
  planLayers(layers, plan(over)).problems;
const containing = (text: string) => expect.stringContaining(text) as string;

describe('layers that cannot change', () => {
  it.each<[string, Partial<Plan>]>([
    ['lr_scale = 0', { lrScale: 0 }],
    ['module_dropout = 1', { moduleDropout: 1 }],
    ['rank_dropout = 1', { rankDropout: 1 }],
    ['one term', { neumannTerms: 1, side: 'input' }],
    ['size 1', { blocks: { count: 64 } }],
  ])('are an error if all have %s, a warning if some', (words, over) => {
    expect(problems(over)).toMatchObject([{ severity: 'error', message: containing(words) }]);
    const some = problems({ rules: [{ match: { name: 'b' }, side: 'output', ...over }] });
    expect(some).toMatchObject([
      { severity: 'warning', item: 'b', message: containing(words), cure: expect.any(String) as string },
    ]);
  });
  it('change by their rescale alone', () => {
    expect(problems({ blocks: { count: 64 }, rescale: true })).toEqual([]);
    expect(problems({ rankDropout: 1, rescale: true })).toEqual([]);
  });
});

describe('sizes', () => {
  it('warn where r = 4 explodes on a wide layer', () => {
    const wide = [square('a', 1280), linear('ff', 10240, { in: 1280 })];
    expect(problems({ blocks: { count: 4 } }, wide)).toMatchObject([
      {
        severity: 'warning',
        item: 'ff',
        message: containing('26,214,400 for 13,107,200'),
        cure: containing('max_size'),
      },
    ]);
    expect(problems({ blocks: { count: 4, maxSize: 64 } }, wide).map((p) => p.message)).toEqual([
      'The blocks of the plan were fitted to a: size 320 → 64 by the cap.',
      'The blocks of the plan were fitted to ff: size 2560 → 64 by the cap.',
    ]);
  });
  it('warn of an adapter that is large for its model, and of blocks that are slow to invert', () => {
    expect(problems({ blocks: { count: 3 } }, [square('a', 3072)])).toMatchObject([
      { message: containing('33 % of the weights') },
    ]);
    expect(problems({ blocks: { count: 6, share: true } }, [square('a', 3072)])).toMatchObject([
      { message: containing('blocks of 512') },
    ]);
  });
});

describe('constraints', () => {
  it('say by how much they let a layer turn', () => {
    const angle = (over: Partial<Plan>) =>
      largestMeanAngle(planLayers([square('a', 64)], plan(over)).planned[0]!);
    // 16 blocks of 4 have 32 planes; ‖Q‖ = 8 = √(2·32) gives each q = 1, a quarter turn.
    expect(angle({ constraint: 8 / 64 })).toBeCloseTo(90, 10);
    expect(angle({ constraint: 8, clamp: 'comfyui' })).toBeCloseTo(90, 10);
    expect(angle({ constraint: 8, clamp: 'peft' })).toBeCloseTo(90, 10);
    expect(angle({ constraint: 8 / 16, clamp: 'paper' })).toBeCloseTo(90, 10);
    expect(angle({})).toBe(Infinity);
  });
  it('warn where they hold all in place, with one that does not', () => {
    const [first] = problems({ constraint: 6e-5, clamp: 'peft' });
    expect(first).toMatchObject({ severity: 'warning', message: containing('almost in place') });
    const wanted = Number(/About (\S+) allows/.exec(first!.cure!)![1]);
    const turned = largestMeanAngle(planLayers(two, plan({ constraint: wanted, clamp: 'peft' })).planned[0]!);
    expect(turned).toBeGreaterThan(4);
    expect(turned).toBeLessThan(6);
  });
  it('warn where they never act: LyCORIS’s constraint taken for an alpha', () => {
    expect(problems({ constraint: 4 })).toMatchObject([{ message: containing('never acts') }]);
    expect(problems({ constraint: 0.01 })).toEqual([]);
  });
});

describe('conventions', () => {
  it('warn of a series on the output side', () => {
    expect(problems({ neumannTerms: 5 })).toMatchObject([
      { severity: 'warning', cure: containing('"exact"') },
    ]);
    expect(problems({ neumannTerms: 5, side: 'input' })).toEqual([]);
  });
  it('warn of convolutions that PEFT’s forward pass scrambles', () => {
    const input = { side: 'input', blocks: { size: 4 } } as const;
    expect(problems(input, [conv('c', 8, 3, { in: 64 })])).toMatchObject([
      { message: containing('scrambles') },
    ]);
    expect(problems(input, [conv('c', 8, 1, { in: 64 })])).toEqual([]);
  });
  it('name the rule that they come from', () => {
    expect(problems({ rules: [{ match: {}, neumannTerms: 3 }] })).toMatchObject([{ item: 'rule 1' }]);
  });
});
