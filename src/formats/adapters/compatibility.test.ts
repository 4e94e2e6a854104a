/** @file What the badge promises, the writers keep: both judge the same plans alike. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compatibility } from '#src/oft/preflight/compatibility.ts';
import { nameModules } from '#src/oft/modules/tree.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { conv as convLayer, linear as linearLayer } from '#src/oft/testing/layers.ts';
import type { Layer } from '#src/oft/types.ts';
import { adapterFit } from './adapterFiles.ts';
import { arbitraryPlan } from '../testing/arbitraryPlan.ts';

const linear = (path: string, out: number, input: number): Layer => linearLayer(path, out, { in: input });
const conv = (path: string, out: number, input: number, kernel: number[], groups = 1): Layer =>
  convLayer(path, out, kernel, { in: input, groups });
const block = 'down_blocks.0.attentions.0.transformer_blocks.0';
const all = nameModules([
  linear(`${block}.attn1.to_q`, 320, 320),
  linear(`${block}.attn2.to_k`, 64, 768),
  linear('mid_block.resnets.0.time_emb_proj', 37, 48),
  conv('mid_block.resnets.0.conv1', 64, 32, [3, 3]),
  conv('mid_block.attentions.0.proj_in', 64, 32, [1, 1]),
  conv('grouped', 24, 24, [3, 3], 24),
  conv('line', 16, 8, [3]),
]);

it('a tool that the badge says loads a file has no obstacle in its writer, and PEFT the other way round too', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(arbitraryPlan, fc.subarray(all, { minLength: 1 }), (plan, layers) => {
      const { planned } = planLayers(layers, plan);
      if (planned.length === 0) return;
      for (const { tool, verdict, format, losses, change, found } of compatibility(planned)) {
        seen.add(`${tool} ${verdict}`);
        expect(found > 0, tool).toBe(verdict !== 'no');
        if (verdict === 'no') {
          expect(losses.length).toBeGreaterThan(0);
          expect(change).not.toBeNull();
        } else expect(adapterFit(format!, planned).obstacles, tool).toEqual([]);
        if (tool === 'PEFT') expect(verdict === 'no').toBe(adapterFit('peft', planned).obstacles.length > 0);
      }
    }),
    { numRuns: 500, seed: 4 },
  );
  for (const each of ['LyCORIS loads', 'LyCORIS loss', 'PEFT no', 'ComfyUI loss', 'OneTrainer no'])
    expect(seen).toContain(each);
});
