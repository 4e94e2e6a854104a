import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { chooseBlocks, isMisfit } from './blocks.ts';
import { factorization } from './factorization.ts';
import { power2factorization } from './power2factorization.ts';
import { linear, settings } from '../testing/layers.ts';

interface Row<T> {
  readonly dimension: number;
  readonly factor: number;
  readonly result: T;
}

const table = <T>(name: string): Row<T>[] =>
  JSON.parse(readFileSync(`e2e/golden/oft/${name}.json`, 'utf8')) as Row<T>[];
const diag = table<readonly [number, number]>('factorization');
const boft = table<readonly [number, number] | null>('power2factorization');

describe(`LyCORIS's factorisation of ${diag.length} widths and dims`, () => {
  it('gives its factors', () => {
    expect(diag.length).toBeGreaterThan(100);
    expect(diag.filter((r) => factorization(r.dimension, r.factor).join() !== r.result.join())).toEqual([]);
  });
  it('chooses its blocks, the smaller factor as block size', () => {
    const wrong = diag.filter(({ dimension, factor, result: [size, count] }) => {
      const blocks = chooseBlocks(linear('a', dimension), settings({ blocks: { dim: factor } }));
      return isMisfit(blocks) || blocks.size !== size || blocks.count !== count || blocks.stages !== 1;
    });
    expect(wrong).toEqual([]);
  });
});

describe(`LyCORIS's power-of-two factorisation of ${boft.length} widths and dims`, () => {
  it('gives its factors, and nothing where it raises', () => {
    expect(boft.filter((r) => r.result === null).length).toBeGreaterThan(100);
    expect(boft.filter((r) => r.result !== null).length).toBeGreaterThan(100);
    const wrong = boft.filter((r) => power2factorization(r.dimension, r.factor)?.join() !== r.result?.join());
    expect(wrong).toEqual([]);
  });
  it('chooses its blocks in log₂n + 1 stages, or says what would work', () => {
    const wrong = boft.filter(({ dimension, factor, result }) => {
      const layer = linear('a', dimension);
      const blocks = chooseBlocks(layer, settings({ algorithm: 'boft', blocks: { dim: factor } }));
      if (result !== null)
        return (
          isMisfit(blocks) ||
          blocks.size !== result[0] ||
          blocks.count !== result[1] ||
          blocks.stages !== Math.log2(result[1]) + 1
        );
      if (!isMisfit(blocks)) return true;
      const again = blocks.nearest[0];
      return dimension % 2 === 1
        ? again !== undefined
        : isMisfit(chooseBlocks(layer, settings({ algorithm: 'boft', blocks: { dim: again } })));
    });
    expect(wrong).toEqual([]);
  });
});
