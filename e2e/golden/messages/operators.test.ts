/** @file Every operator, given inputs and attributes that fit only by chance. */
import { describe, expect, it } from 'vitest';
import { importGraph } from '#src/ops/import/import.ts';
import { oddKeys, oddNode } from '../../fuzz/parts/nodes.ts';
import { refuses } from './drive.ts';

describe('every operator', () => {
  it.each(oddKeys)('%s refuses what it cannot take in plain words', (key) => {
    let refusals = 0;
    for (let seed = 0; seed < 24; seed++)
      if (
        refuses(() => importGraph(oddNode(key, 1 + seed + 97 * oddKeys.indexOf(key))), `${key}, seed ${seed}`)
      )
        refusals++;
    if (key !== 'Constant' && key !== 'Identity') expect(refusals).toBeGreaterThan(0);
  });
});
