import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan } from '#src/oft/types.ts';
import { FormatError, JobError } from '../errors.ts';
import { planFromArguments } from './kohyaArgs.ts';
import { importLycorisPreset } from './lycorisPreset.ts';
import { clipLayers, golden, selected, unetLayers } from '../testing/models.ts';

/** Kind of adapter, then the shape of its blocks; by module path. */
type Selected = Readonly<Record<string, readonly [string, ...number[]]>>;
interface Case {
  readonly name: string;
  readonly preset: string;
  readonly dim: number;
  readonly args: Readonly<Record<string, string>>;
  readonly selected: { readonly unet: Selected; readonly text_encoder?: Selected };
}
const cases = golden('presets/selections.json') as { kohya: Case[]; wrapper: Case[] };

const chosen = (layers: ReturnType<typeof unetLayers>, plan: Plan): [string, unknown][] =>
  [...selected(layers, plan)]
    .map(([path, p]): [string, unknown] => [
      path,
      p.algorithm === 'boft'
        ? ['boft', p.stages, p.count, p.size, p.size]
        : ['diag-oft', p.count, p.size, p.size],
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1));

/** What LyCORIS adapts by OFT; other algorithms of a preset have no counterpart. */
const wanted = (s: Selected): [string, unknown][] =>
  Object.entries(s)
    .filter(([, [kind]]) => kind === 'diag-oft' || kind === 'boft')
    .sort(([a], [b]) => (a < b ? -1 : 1));

const planOf = ({ preset, dim, args }: Case): Plan => ({
  ...importLycorisPreset(preset).plan,
  blocks: { dim },
  ...args,
});

describe('LyCORIS presets', () => {
  it.each(cases.kohya.filter((c) => c.args.conv_dim === undefined))(
    'select what kohya’s network selects: $name',
    (c) => {
      const plan = planOf(c);
      expect(
        chosen(
          unetLayers().map((l) => ({ ...l, part: 'unet' })),
          plan,
        ),
      ).toEqual(wanted(c.selected.unet));
      expect(chosen(clipLayers(), plan)).toEqual(wanted(c.selected.text_encoder!));
    },
  );

  it.each(cases.wrapper)('select what the wrapper selects: $name', (c) => {
    const table = /target_/.test(c.preset) ? c.preset : `target_module = ["Linear", "Conv2d"]\n${c.preset}`;
    expect(chosen(unetLayers(), planOf({ ...c, preset: table }))).toEqual(wanted(c.selected.unet));
  });

  it('take kohya’s conv_dim for kernels larger than 1', () => {
    const c = cases.kohya.find((x) => x.args.conv_dim !== undefined)!;
    // The preset of this case, as rules: residual and transformer blocks with convolutions.
    const { plan } = planFromArguments(
      new Map<string, unknown>([
        ['algo', 'diag-oft'],
        ['network_dim', c.dim],
        ['preset', 'full'],
        ...Object.entries(c.args),
      ]),
    );
    const within = new Map(wanted(c.selected.unet));
    const got = chosen(unetLayers(), plan).filter(([path]) => within.has(path));
    expect(got).toEqual([...within]);
  });
});

describe('what a preset cannot carry over', () => {
  const notes = (text: string): string => importLycorisPreset(text).notes.join('\n');

  it('is noted', () => {
    expect(notes('unet_target_module = ["MyBlock", "Attention", "GroupNorm"]')).toMatch(
      /names the module class MyBlock\. ONNX files hold no classes/,
    );
    expect(notes('[module_algo_map.Attention]\nalgo = "lokr"')).toMatch(
      /asks for algo lokr, which is not OFT/,
    );
    expect(notes('[module_algo_map.Attention]\ndim = 4\nalpha = 2\nfactor = 8')).toMatch(
      /sets alpha, factor: no effect on OFT/,
    );
    expect(notes('[module_algo_map.Attention]\nspeed = 4')).toMatch(/sets speed, which was not carried over/);
    expect(notes('unet_target_name = ["(?i)ATTN"]')).toMatch(
      /has the pattern \(\?i\)ATTN, which cannot be read/,
    );
    expect(notes('lora_prefix = "x"\ntarget_module = []')).toMatch(/lora_prefix is about names/);
    expect(notes('unet_target_name = []')).toMatch(
      /unet_target_module, text_encoder_target_module is not set: LyCORIS's own default/,
    );
    expect(notes('target_module = []\nunet_target_module = []')).toMatch(/two ways of calling LyCORIS/);
  });

  it.each([
    ['enable_cnv = true', /^enable_cnv is not a key of LyCORIS presets\. Did you mean enable_conv\?$/],
    ['target_module = "Linear"', /^target_module is Linear; allowed: a list of texts\.$/],
    ['target_module = [1]', /^target_module is \[1\]; allowed: a list of texts\.$/],
    ['name_algo_map = 3', /^name_algo_map is 3; allowed: a table\.$/],
    [
      '[module_algo_map.Attention]\ndim = "much"',
      /^module_algo_map\.Attention\.dim is much; allowed: a whole number/,
    ],
    ['[module_algo_map]\nAttention = 4', /^module_algo_map\.Attention is 4; allowed: a table such as/],
    [
      '[module_algo_map.Attention]\nconstraint = -1',
      /constraint is -1; allowed: 0 \(off\) or a positive number\.$/,
    ],
    ['= 3', /^Line 1, column \d+ is not TOML/],
  ])('is refused: %j', (text, message) => {
    expect(() => importLycorisPreset(text)).toThrow(JobError);
    expect(() => importLycorisPreset(text)).toThrow(message);
  });

  it('keeps a UNet’s free names off the text encoder', () => {
    const { plan } = importLycorisPreset(
      'unet_target_module = []\nunet_target_name = [".*"]\ntext_encoder_target_module = []\ntext_encoder_target_name = []',
    );
    expect(selected(clipLayers(), plan).size).toBe(0);
    expect(selected(unetLayers(), plan).size).toBe(83);
  });

  it('never breaks on any table', () => {
    const key = fc.constantFrom(
      'unet_target_name',
      'exclude_name',
      'target_module',
      'module_algo_map',
      'use_fnmatch',
    );
    fc.assert(
      fc.property(
        fc.dictionary(
          key,
          fc.oneof(
            fc.json(),
            fc.string().map((s) => JSON.stringify([s])),
          ),
          { maxKeys: 4 },
        ),
        (d) => {
          const text = Object.entries(d)
            .map(([k, x]) => `${k} = ${x}`)
            .join('\n');
          try {
            importLycorisPreset(text);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        },
      ),
    );
  });
});
