import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSettings, peftSettings, settingsOf } from '#src/oft/plan/planned.ts';
import type { Plan, Rule } from '#src/oft/types.ts';
import { JobError } from '../errors.ts';
import { conventionsOf, defaultPlan, parsePlan, withConventions } from './plan.ts';
import { printPlan } from './printPlan.ts';
import { arbitraryPlan } from '../testing/arbitraryPlan.ts';

const peft = conventionsOf('input');

describe('parsePlan', () => {
  it('reads the syntax of the documentation', () => {
    const plan = parsePlan(`
      side = "output"
      blocks = { dim = 4 }
      [[rule]]
      match = { kind = "linear", name = "*attn2*", out = ">=320" }
      blocks = { count = 4 }
      [[rule]]
      match = { kind = "conv", kernel = 3 }
      blocks = { per = "channel", share = true }
      [[rule]]
      match = { name = "*time_embedding*" }
      skip = true
    `);
    expect(plan).toEqual({
      ...defaultPlan,
      rules: [
        { match: { kind: 'linear', name: '*attn2*', out: '>=320' }, blocks: { count: 4 } },
        { match: { kind: 'conv', kernel: 3 }, blocks: { per: 'channel', share: true }, ...peft },
        { match: { name: '*time_embedding*' }, skip: true },
      ],
    });
  });

  it('reads every key', () => {
    const rule = parsePlan(`
      [[rule]]
      algorithm = "boft"
      blocks = { size = 8, stages = 2, fit = "nearest", max_size = 64, max_params = 100000, share = true }
      parameters = "triangle"
      cayley = { terms = 7 }
      constraint = 0.01
      clamp = "paper"
      rescale = true
      module_dropout = 0.1
      rank_dropout = 1
      lr_scale = 0
      [rule.match]
      name = "*x*"
      regex = '^a\\.b$'
      kind = "conv"
      kernel = 3
      stride = 2
      groups = ">1"
      in = 64
      out = "<=8"
      position = "<-2"
      role = "residual-conv"
      part = "text_encoder"
    `).rules[0];
    expect(rule).toEqual({
      algorithm: 'boft',
      blocks: { size: 8, stages: 2, fit: 'nearest', maxSize: 64, maxParams: 100_000, share: true },
      parameters: 'triangle',
      neumannTerms: 7,
      constraint: 0.01,
      clamp: 'paper',
      rescale: true,
      moduleDropout: 0.1,
      rankDropout: 1,
      lrScale: 0,
      match: {
        name: '*x*',
        regex: String.raw`^a\.b$`,
        kind: 'conv',
        kernel: 3,
        stride: 2,
        groups: '>1',
        in: 64,
        out: '<=8',
        position: '<-2',
        role: 'residual-conv',
        part: 'text_encoder',
      },
    });
  });

  it('gives each side the conventions of its tool, unless told otherwise', () => {
    expect(parsePlan('side = "input"')).toEqual({ ...peftSettings, blocks: { dim: 4 }, rules: [] });
    expect(parsePlan('side = "input"\ncayley = "exact"\nparameters = "full"')).toMatchObject({
      neumannTerms: null,
      parameters: 'full',
      clamp: 'peft',
    });
    expect(parsePlan('blocks = { per = "channel" }')).toMatchObject({ side: 'input', clamp: 'peft' });
    const { rules } = parsePlan(`
      side = "input"
      clamp = "paper"
      [[rule]]
      match = { kind = "linear" }
      side = "output"
      clamp = "comfyui"
      [[rule]]
      match = { kind = "conv" }
      side = "input"
      [[rule]]
      match = {}
      algorithm = "boft"
    `);
    expect(rules).toEqual([
      { match: { kind: 'linear' }, ...conventionsOf('output'), clamp: 'comfyui' },
      { match: { kind: 'conv' }, side: 'input' },
      { match: {}, algorithm: 'boft', ...conventionsOf('output') },
    ]);
  });

  it('knows both spellings of the algorithm', () => {
    expect(parsePlan('algorithm = "diag"')).toEqual(defaultPlan);
    expect(parsePlan('algorithm = "diag-oft"')).toEqual(defaultPlan);
    expect(printPlan(defaultPlan)).toMatch(/^algorithm = "diag-oft"$/m);
  });

  it.each([
    ['blocks = { size = 4, count = 2 }', /^blocks names count and size; name exactly one of { dim = 4 }, { count = 4 }, { size = 32 } or { per = "channel" }\.$/],
    ['blocks = { share = true }', /^blocks does not say how to cut the width; name one of { dim = 4 }, /],
    ['blocks = {}', /^blocks does not say how to cut/],
    ['blocks = { size = 0 }', /^blocks\.size is 0; allowed: a whole number from 1/],
    ['blocks = { dim = -2 }', /^blocks\.dim is -2; allowed: .* or -1/],
    ['blocks = { size = 4, maxsize = 8 }', /^blocks\.maxsize is not a known key\. Did you mean max_size\?/],
    ['blocks = { per = "chanel" }', /^blocks\.per is "chanel"; allowed: "channel"\.$/],
    ['blocks = { per = "channel", max_size = 9 }', /^blocks has per = "channel", which takes no stages/],
    ['side = "output"\nblocks = { per = "channel" }', /^blocks has per = "channel", which cuts the input side/],
    ['blocks = { size = 4, stages = 2 }', /^blocks\.stages is for BOFT only/],
    ['side = "inputs"', /^side is "inputs"; allowed: "output" or "input"\.$/],
    ['algorithm = "lora"', /^algorithm is "lora"; allowed: "diag-oft" or "diag" or "boft"\.$/],
    ['cayley = { terms = 0 }', /^cayley is \{"terms":0\}; allowed: "exact", or \{ terms = n \}/],
    ['cayley = { terms = 3, exact = true }', /^cayley is .*; allowed: "exact"/],
    ['rank_dropout = 1.5', /^rank_dropout is 1\.5; allowed: a number from 0 to 1\.$/],
    ['module_dropout = -0.1', /^module_dropout is -0\.1; allowed/],
    ['dropout = 0.1', /^dropout is not a known key\. Did you mean rank_dropout\?/],
    ['[[rule]]\nmatch = { out = "=>320" }', /^rule 1: match\.out is "=>320"; allowed: a whole number, or a comparison/],
    ['[[rule]]\nmatch = { out = -1 }', /^rule 1: match\.out is -1; allowed/],
    ['[[rule]]\nmatch = { regex = "(" }', /^rule 1: match\.regex is "\(", which is no regular expression .*\. Correct it, or use a glob in name\.$/],
    ["[[rule]]\nmatch = { regex = '(a)\\1' }", /^rule 1: match\.regex is .*, which refers back to a group, which can take for ever\. Write the text out, or use a glob in name/],
    ['[[rule]]\nmatch = { role = "querry" }', /^rule 1: match\.role is "querry"; allowed: "query" or "key"/],
    ['[[rule]]\nmatch = {}\n[[rule]]\nmatch = {}\nside = "input"\nalgorithm = "boft"', /^rule 2: side is "input", but algorithm is "boft"/],
    ['rule = 3', /^rule is not a list/],
  ])('refuses %j', (toml, message) => {
    expect(() => parsePlan(toml)).toThrow(JobError);
    expect(() => parsePlan(toml)).toThrow(message);
  }); // prettier-ignore
});

describe('printPlan', () => {
  it('reads back as it was, for any plan', () => {
    fc.assert(
      fc.property(arbitraryPlan, (plan) => {
        expect(parsePlan(printPlan(plan))).toEqual(plan);
      }),
    );
  });

  it('keeps what rules mean that were never normalised', () => {
    const rule: Rule = { match: { kind: 'conv' }, side: 'input', blocks: { size: 4 } };
    const plan: Plan = { ...defaultSettings, rules: [rule] };
    const read = parsePlan(printPlan(plan));
    expect(settingsOf(read, read.rules[0])).toEqual(settingsOf(plan, rule));
    expect(settingsOf(plan, rule).parameters).toBe('full');
    expect(withConventions(rule, 'output')).toEqual({ ...rule, ...peft });
  });
});
