import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError, JobError } from '../errors.ts';
import { importPlan } from './importPlan.ts';
import { defaultPlan } from './plan.ts';
import { presetPlan } from './presets.ts';
import { selected, unetLayers } from '../testing/models.ts';

const words =
  '--network_module=lycoris.kohya --network_dim 8 --network_alpha=1 --learning_rate 1e-4 \\\n --network_args "algo=boft" preset=attn-mlp \'constraint=1e-3\' "rescaled=True" module_dropout=0.1 rank_dropout=0.2';
const toml = `
[additional_network_arguments]
network_module = "lycoris.kohya"
network_dim = 8
network_alpha = 1
network_args = ["algo=boft", "preset=attn-mlp", "constraint=1e-3", "rescaled=True", "module_dropout=0.1", "rank_dropout=0.2"]
[training_arguments]
output_dir = "out"
`;

describe('kohya’s arguments', () => {
  const plan = {
    ...presetPlan('attn-mlp'),
    algorithm: 'boft',
    blocks: { dim: 8 },
    constraint: 1e-3,
    rescale: true,
    moduleDropout: 0.1,
    rankDropout: 0.2,
  };

  it.each([
    ['a command line', words],
    ['a config file', toml],
    ['the list of a config file', toml.split('\n')[5]! + '\nnetwork_dim = 8'],
  ])('are read from %s', (_, text) => {
    expect(importPlan(text).plan).toEqual(plan);
  });

  it('are read as words alone and as metadata of a file, with LyCORIS’s defaults', () => {
    const want = { ...presetPlan('full'), blocks: { dim: 4 }, rescale: true };
    for (const text of ['algo=diag-oft rescaled=true', '{"algo": "diag-oft", "rescaled": "True"}']) {
      const { plan, notes } = importPlan(text);
      expect(plan).toEqual(want);
      expect(notes).toEqual(['network_dim is not given: 4, LyCORIS’s default, was taken.']);
    }
  });

  it('read flags as LyCORIS does: all but "false" is true', () => {
    const rescale = (value: string): boolean => importPlan(`algo=diag-oft rescaled=${value}`).plan.rescale;
    expect([rescale('False'), rescale('false'), rescale('0'), rescale('yes')]).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it('turn convolutions off by conv_dim = 0, and give them blocks of their own', () => {
    const layers = unetLayers();
    const count = (text: string): number =>
      selected(layers, importPlan(`algo=diag-oft preset=full ${text}`).plan).size;
    expect([count(''), count('conv_dim=0'), count('conv_dim=2')]).toEqual([83, 63, 83]);
    const { plan } = importPlan('algo=diag-oft network_dim=8 conv_dim=2');
    const found = selected(layers, plan);
    expect(found.get('conv_in')!.blocks).toEqual({ dim: 2 });
    expect(found.get('down_blocks.0.attentions.0.proj_in')!.blocks).toEqual({ dim: 8 });
  });

  it('note what has no effect or no counterpart', () => {
    const { notes } = importPlan(
      'algo=diag-oft network_dim=4 block_size=8 dropout=0.1 factor=4 bypass_mode=True train_norm=True constrant=1 rank_dropout=0.1',
    );
    expect(notes).toEqual([
      expect.stringMatching(/^bypass_mode also turns the bias/),
      expect.stringMatching(/^rank_dropout: LyCORIS zeroes entries/),
      'block_size, dropout, factor: taken by LyCORIS, but without effect on OFT; left out here.',
      'train_norm was not carried over.',
      'constrant was not carried over (did you mean constraint?).',
    ]);
    expect(importPlan('network_dim=4 preset=./my.toml').notes).toEqual([
      'algo is not given: LyCORIS would train LoRA; diag-oft was taken.',
      'The preset is a file, ./my.toml: import it as well. Until then all layers are adapted.',
    ]);
  });

  it.each([
    ['algo=lokr', /^algo is lokr; Rotune trains OFT only\. Write algo=diag-oft or algo=boft\.$/],
    ['algo=boft preset=ful', /^preset is ful, which LyCORIS does not have\. Did you mean full\?$/],
    ['algo=boft preset=ia3', /^preset is ia3, which is made for IA³/],
    ['algo=boft network_dim=0', /^network_dim is 0; allowed: a whole number from 1\.$/],
    ['algo=boft constraint=some', /^constraint is some; allowed: 0 \(off\) or a positive number\.$/],
    ['algo=boft module_dropout=2', /^module_dropout is 2; allowed: a number from 0 to 1\.$/],
    ['--network_module networks.lora', /^network_module is networks\.lora, which is not OFT/],
    ['--network_args algo=boft preset', /^network_args is preset; allowed: words of the form key=value/],
    ['network_args = [3]', /^network_args is \[3\]; allowed: a list of texts\.$/],
  ])('refuse %j', (text, message) => {
    expect(() => importPlan(text)).toThrow(JobError);
    expect(() => importPlan(text)).toThrow(message);
  });
});

describe('kohya’s own OFT', () => {
  it('cuts into network_dim blocks and takes alpha as the constraint', () => {
    const layers = unetLayers();
    const { plan } = importPlan('network_module = "networks.oft"\nnetwork_dim = 2\nnetwork_alpha = 0.01');
    expect(plan).toMatchObject({
      ...defaultPlan,
      blocks: { count: 2 },
      constraint: 0.01,
      rules: expect.anything() as unknown,
    });
    expect(selected(layers, plan).size).toBe(32);
    expect(importPlan('--network_module networks.oft').plan).toMatchObject({
      blocks: { count: 4 },
      constraint: 1e-3,
    });
  });

  it('widens by its two switches', () => {
    const count = (args: string): number =>
      selected(unetLayers(), importPlan(`--network_module networks.oft --network_args ${args}`).plan).size;
    expect(count('enable_all_linear=True')).toBe(48);
    // Residual blocks bring their time projections and shortcuts along; conv_in, conv_out and the time embedding stay out.
    expect(count('enable_all_linear=True enable_conv=True')).toBe(79);
  });
});

it('meets any words with a plan or a FormatError', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'algo=boft',
      '--network_args',
      'preset=full',
      'conv_dim=x',
      'constraint=',
      '"',
      '--network_dim',
      '=',
    ),
  );
  fc.assert(
    fc.property(fc.array(word), (list) => {
      try {
        importPlan(list.join(' '));
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }),
  );
});
