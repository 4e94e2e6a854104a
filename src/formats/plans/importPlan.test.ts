import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { FormatError, JobError } from '../errors.ts';
import { importPlan } from './importPlan.ts';
import { defaultJob } from '../jobs/job.ts';
import { printJob } from '../jobs/printJob.ts';
import { defaultPlan } from './plan.ts';
import { printPlan } from './printPlan.ts';
import { presetPlan } from './presets.ts';
import { arbitraryPlan } from '../testing/arbitraryPlan.ts';

describe('importPlan', () => {
  it('recognises each kind of file', () => {
    expect(importPlan(printPlan(presetPlan('attn-only')))).toEqual({
      plan: presetPlan('attn-only'),
      notes: [],
    });
    const job = { ...defaultJob, plan: presetPlan('full-lin') };
    expect(importPlan(printJob(job))).toEqual({
      plan: job.plan,
      notes: ['Of the job, only its plan was taken.'],
    });
    expect(importPlan('enable_conv = true').plan.rules.length).toBeGreaterThan(0);
    expect(importPlan('\uFEFFnetwork_args = ["algo=boft"]').plan.algorithm).toBe('boft');
    expect(importPlan('algo=boft').plan.algorithm).toBe('boft');
    expect(importPlan('{"peft_type": "OFT", "oft_block_size": 8, "target_modules": ["q"]}').plan.side).toBe(
      'input',
    );
    expect(importPlan('constraint = 0.1').plan).toEqual({ ...defaultPlan, constraint: 0.1 });
  });

  it('reads back any plan', () => {
    fc.assert(
      fc.property(arbitraryPlan, (plan) => {
        expect(importPlan(printPlan(plan))).toEqual({ plan, notes: [] });
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['', /^my\.txt is empty\. Read here: a Rotune plan or job \(TOML\), a LyCORIS preset/],
    ['hello world', /^my\.txt is none of a Rotune plan.* Line 1, column \d+ is not TOML/],
    ['{"peft_type": "OFT"', /^This is not whole JSON: .* Copy the file again, all of it\.$/],
    ['{"a": 1}', /^This JSON is neither a PEFT adapter_config\.json/],
    ['blokcs = { dim = 4 }', /^blokcs is not a known key\. Did you mean blocks\?$/],
    ['[plan]\nside = "left"', /^Line 2: plan\.side is "left"; allowed: "output" or "input"\.$/],
  ])('refuses %j', (text, message) => {
    expect(() => importPlan(text, 'my.txt')).toThrow(JobError);
    expect(() => importPlan(text, 'my.txt')).toThrow(message);
  });

  it('meets any text, and any change of a good one, with a plan or a FormatError', () => {
    const good = [
      printPlan(presetPlan('full')),
      'unet_target_module = ["Attention"]\n[name_algo_map."a.*"]\ndim = 4\n',
      'network_module = "lycoris.kohya"\nnetwork_args = ["algo=boft", "preset=full"]\n',
      '--network_dim 4 --network_args algo=diag-oft "constraint=0.1"',
      '{"peft_type": "OFT", "oft_block_size": 8, "target_modules": ["q"], "layers_to_transform": [1]}',
    ];
    const changed = fc
      .tuple(fc.constantFrom(...good), fc.nat(), fc.nat(6), fc.string({ maxLength: 8 }))
      .map(([text, at, gone, more]) => {
        const from = at % text.length;
        return text.slice(0, from) + more + text.slice(from + gone);
      });
    const json = fc.dictionary(
      fc.constantFrom('peft_type', 'r', 'oft_block_size', 'target_modules', 'exclude_modules', 'layers_to_transform', 'layers_pattern', 'coft', 'network_args', 'algo', 'preset'),
      fc.oneof(fc.jsonValue(), fc.constant('OFT'), fc.nat(64)),
    ).map((x) => JSON.stringify(x)); // prettier-ignore
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), changed, json), (text) => {
        try {
          importPlan(text);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: depth(200, 1000), examples: [['{"algo":{"toString":null}}']] },
    );
  });
});
