import { describe, expect, it } from 'vitest';
import { peftSettings } from '#src/oft/plan/planned.ts';
import { JobError } from '../errors.ts';
import { importPlan } from './importPlan.ts';
import { printPlan } from './printPlan.ts';
import { golden, selected, unetLayers } from '../testing/models.ts';

interface Case {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Module path → rows of the parameter and block size, as PEFT made them. */
  readonly selected: { readonly unet: Readonly<Record<string, readonly [number, number]>> };
}
const cases = (golden('presets/selections.json') as { peft: Case[] }).peft;
const read = (config: object) =>
  importPlan(JSON.stringify({ peft_type: 'OFT', target_modules: ['q'], oft_block_size: 32, ...config }));

describe('PEFT configurations', () => {
  it.each(cases)('select what PEFT selects, with its blocks: $name', ({ config, selected: want }) => {
    const { plan } = importPlan(JSON.stringify(config));
    const got = [...selected(unetLayers(), plan)].map(([path, p]) => [path, [p.share ? 1 : p.count, p.size]]);
    expect(Object.fromEntries(got)).toEqual(want.unet);
  });

  it('say exactly what PEFT’s defaults say', () => {
    expect(read({}).plan).toEqual({
      ...peftSettings,
      rules: [{ match: { regex: String.raw`(?:^|\.)(?:q)$` } }, { match: {}, skip: true }],
    });
    expect(read({}).notes).toEqual([]);
  });

  it('carry every setting that has a counterpart', () => {
    const { plan, notes } = read({
      r: 8,
      oft_block_size: 0,
      block_share: true,
      use_cayley_neumann: false,
      coft: true,
      eps: 1e-4,
      module_dropout: 0.25,
      peft_version: '0.21.2',
      task_type: null,
      inference_mode: true,
    });
    expect(plan).toMatchObject({
      side: 'input',
      parameters: 'triangle',
      clamp: 'peft',
      blocks: { count: 8, fit: 'nearest', share: true },
      neumannTerms: null,
      constraint: 1e-4,
      rankDropout: 0.25,
      moduleDropout: 0,
    });
    expect(notes).toEqual([expect.stringMatching(/^module_dropout: PEFT documents it/)]);
    expect(read({ num_cayley_neumann_terms: 7, eps: 1 }).plan).toMatchObject({
      neumannTerms: 7,
      constraint: 0,
    });
  });

  it('note the rest', () => {
    const { plan, notes } = read({
      bias: 'all',
      fan_in_fan_out: true,
      init_weights: false,
      modules_to_save: ['head'],
      rank_pattern: { q: 2 },
      target_modules: 'q.*',
      layers_to_transform: 3,
    });
    expect(notes.join('\n')).toMatch(
      /^modules_to_save: head would be trained whole.*\nlayers_to_transform has no effect.*\nbias is all.*\nfan_in_fan_out.*\ninit_weights is false.*\nrank_pattern was not carried over\.$/,
    );
    expect(plan.rules[0]).toEqual({ match: { regex: String.raw`(?:^|\.)(?:head)(?:\.|$)` }, skip: true });
    expect(read({ target_modules: null }).notes).toEqual([
      expect.stringMatching(/^target_modules is not set/),
    ]);
    expect(read({ oft_block_size: undefined, r: 4 }).notes).toEqual([
      expect.stringMatching(/^oft_block_size is missing/),
    ]);
  });

  it('takes lists longer than one expression may be', () => {
    const paths = Array.from(
      { length: 400 },
      (_, i) => `down_blocks.${i}.attentions.0.transformer_blocks.0.attn1.to_q`,
    );
    const { plan } = read({
      target_modules: paths.filter((_, i) => i % 2 === 0),
      exclude_modules: paths.slice(300),
    });
    expect(plan.rules.length).toBeGreaterThan(10);
    const layers = paths.map((path) => ({ ...unetLayers()[1]!, path }));
    expect([...selected(layers, plan).keys()]).toEqual(paths.filter((_, i) => i % 2 === 0 && i < 300));
    expect(importPlan(printPlan(plan)).plan).toEqual(plan);
  });

  it.each([
    [{ peft_type: 'BOFT' }, /^peft_type is BOFT\. PEFT’s BOFT turns the input side in stages/],
    [
      { peft_type: 'LORA' },
      /^peft_type is LORA; Rotune reads OFT configurations only\. Choose one of an OFT adapter\.$/,
    ],
    [{ r: 4 }, /^r is 4 and oft_block_size is 32; PEFT takes exactly one of them/],
    [{ oft_block_size: 0 }, /^r is 0 and oft_block_size is 0/],
    [{ oft_block_size: 2.5 }, /^oft_block_size is 2\.5; allowed: a whole number from 0\.$/],
    [{ target_modules: 3 }, /^target_modules is 3; allowed: a list of texts\.$/],
    [{ target_modules: '(' }, /^target_modules is the expression \(, which cannot be read here/],
    [{ block_share: 'yes' }, /^block_share is yes; allowed: true or false\.$/],
    [{ module_dropout: 2 }, /^module_dropout is 2; allowed: a number from 0 to 1\.$/],
    [{ layers_to_transform: ['a'] }, /^layers_to_transform is a; allowed: a whole number from 0\.$/],
    [{ num_cayley_neumann_terms: 100 }, /^num_cayley_neumann_terms is 100; allowed: a whole number up to 64/],
    [{ coft: true, eps: -1 }, /^eps is -1; allowed/],
  ])('refuse %j', (config, message) => {
    expect(() => read(config)).toThrow(JobError);
    expect(() => read(config)).toThrow(message);
  });
});
