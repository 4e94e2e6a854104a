import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeWeight } from '#src/oft/insertion/mergeWeight.ts';
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import { peftSettings } from '#src/oft/plan/planned.ts';
import type { Clamp } from '#src/oft/types.ts';
import { FORMATS } from '../../../scripts/tune/places.mjs';
import { adapterFit, adapterFormats, adapterLosses, readAdapter, writeAdapter } from './adapterFiles.ts';
import type { AdapterFormat } from './adapterFormat.ts';
import { FormatError } from '../errors.ts';
import { readSafetensors } from '../files/safetensors.ts';
import { seeded, testAdapter, testLayer, testWeight } from '../testing/adapters.ts';

const random = seeded(1);
const conv = testLayer('down.0.conv1', 4, 16, { kernel: [3, 3] });
const linear = testLayer('down.0.attn.to_q', 24, 16);
const odd = testLayer('mid.out', 8, 15);
const model = [conv, linear, odd];

/** The largest difference of the weights that two adapters make, by layer. */
function apart(a: LayerParameters, b: LayerParameters): number {
  const weight = testWeight(a.layer.layer);
  const [x, y] = [mergeWeight(a, weight), mergeWeight(b, weight)];
  return x.reduce((m, v, i) => Math.max(m, Math.abs(v - y[i]!)), 0);
}

async function roundTrip(
  format: AdapterFormat,
  layers: readonly LayerParameters[],
): Promise<readonly LayerParameters[]> {
  const { files } = await writeAdapter(format, { layers, weight: testWeight });
  const read = readAdapter(new Map(files.map((f) => [f.path, f.bytes])), model);
  expect(read.unexpected).toEqual([]);
  expect(read.layers.map((l) => l.layer.layer.path)).toEqual(layers.map((l) => l.layer.layer.path));
  return read.layers;
}

/** As good as float32 blocks can say it: weights of about 1. */
const close = 3e-6;

describe('what comes back makes the same weights', () => {
  const clamps: readonly Clamp[] = ['lycoris', 'comfyui', 'peft', 'paper'];
  const settings = fc.record({
    constraint: fc.constantFrom(0, 0.01, 0.3),
    clamp: fc.constantFrom(...clamps),
    parameters: fc.constantFrom('full' as const, 'triangle' as const),
  });

  it.each(['lycoris', 'comfyui'] as const)('output side through %s', async (format) => {
    await fc.assert(
      fc.asyncProperty(
        settings,
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(1, 2, 4, 8, 16),
        async (s, rescale, share, count) => {
          const given = [conv, linear].map((l) =>
            testAdapter(l, count, { ...s, rescale }, random, { share }),
          );
          const back = await roundTrip(format, given);
          back.forEach((b, i) => expect(apart(given[i]!, b)).toBeLessThan(close));
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    ['lycoris', 4, 1],
    ['lycoris', 4, 2],
    ['lycoris', 4, 3],
    ['comfyui', 8, 2],
    ['comfyui', 8, 4],
    ['lycoris', 1, 1],
    ['comfyui', 2, 1],
  ] as const)('BOFT through %s: %i blocks, %i stages', async (format, count, stages) => {
    for (const constraint of [0, 0.02]) {
      const given = [conv, linear].map((l) =>
        testAdapter(l, count, { algorithm: 'boft', rescale: true, constraint }, random, { stages }),
      );
      const back = await roundTrip(format, given);
      back.forEach((b, i) => expect(apart(given[i]!, b)).toBeLessThan(close));
    }
  });

  it('odd blocks of an even width are joined in pairs for ComfyUI', async () => {
    const six = testLayer('mid.out', 8, 30);
    const given = testAdapter(six, 6, { rescale: true }, random);
    const { files } = await writeAdapter('comfyui', { layers: [given] });
    const { tensors } = readSafetensors(files[0]!.bytes);
    expect(tensors.get('lycoris_mid_out.oft_blocks')?.shape).toEqual([1, 3, 10, 10]);
    const [back] = readAdapter(new Map([['a', files[0]!.bytes]]), [six]).layers;
    expect(back!.layer).toMatchObject({ algorithm: 'diag', count: 3, size: 10 });
    expect(apart(given, back!)).toBeLessThan(close);
  });

  it.each([
    ['peft', null],
    ['peft', 5],
    ['peft', 2],
    ['oft_r', 5],
  ] as const)('input side through %s, terms %s', async (format, neumannTerms) => {
    await fc.assert(
      fc.asyncProperty(settings, fc.boolean(), fc.constantFrom(1, 2, 4, 6, 12), async (s, share, count) => {
        const given = [conv, linear].map((l) =>
          testAdapter(l, count, { ...peftSettings, ...s, neumannTerms }, random, { share, size: 0.1 }),
        );
        const back = await roundTrip(format, given);
        back.forEach((b, i) => expect(apart(given[i]!, b)).toBeLessThan(close));
      }),
      { numRuns: 40 },
    );
  });

  it('oft_R takes exact rotations the right way round, up to the series', async () => {
    const given = [conv, linear].map((l) =>
      testAdapter(l, 6, { ...peftSettings, neumannTerms: null }, random, { size: 0.02 }),
    );
    const back = await roundTrip('oft_r', given);
    back.forEach((b, i) => {
      expect(b.layer.neumannTerms).toBe(5);
      // The series is off by about ‖Q‖⁴; a wrong sign by 4‖Q‖, a hundred times the limit.
      expect(apart(given[i]!, b)).toBeLessThan(1e-3);
    });
  });

  it('whole differences', async () => {
    const given = [
      testAdapter(conv, 9, { ...peftSettings, side: 'input' }, random),
      testAdapter(odd, 5, { rescale: true }, random),
    ];
    const { files } = await writeAdapter('diff', { layers: given, weight: testWeight });
    const read = readAdapter(new Map([['a.safetensors', files[0]!.bytes]]), model);
    expect(read.format).toBe('diff');
    for (const g of given) {
      const weight = testWeight(g.layer.layer);
      const want = mergeWeight(g, weight);
      const got = read.differences!.get(g.layer.layer.path)!;
      const worst = got.reduce((m, d, i) => Math.max(m, Math.abs(weight[i]! + d - want[i]!)), 0);
      expect(worst).toBeLessThan(1e-6);
    }
    expect(read.missing).toEqual(['lycoris_down_0_attn_to_q.diff']);
  });
});

describe('what a tool cannot hold', () => {
  const input = testAdapter(linear, 6, peftSettings, random);
  const rescaled = testAdapter(linear, 6, { ...peftSettings, rescale: true }, random);
  const output = testAdapter(linear, 4, {}, random);
  const grouped = testAdapter(testLayer('g', 8, 8, { kernel: [3, 3], groups: 2 }), 4, peftSettings, random);
  const oblong = testAdapter(testLayer('o', 8, 8, { kernel: [3, 1] }), 4, peftSettings, random);

  it.each([
    ['lycoris', [input], /LyCORIS rotates what layers put out.*merged ONNX/],
    ['comfyui', [input], /ComfyUI rotates what layers put out/],
    ['peft', [output], /PEFT rotates what comes into layers.*LyCORIS's format/],
    ['oft_r', [output], /OneTrainer rotates what comes into layers/],
    ['peft', [rescaled], /PEFT has no rescale/],
    ['oft_r', [rescaled], /OneTrainer has no rescale/],
    ['peft', [grouped], /grouped convolutions: layer g/],
    ['oft_r', [grouped], /grouped or dilated/],
    ['peft', [oblong], /not square: layer o/],
    [
      'peft',
      [input, testAdapter(conv, 2, peftSettings, random)],
      /one block size per adapter.*18 in layer down.0.conv1/,
    ],
    [
      'peft',
      [input, testAdapter(odd, 2, { ...peftSettings, neumannTerms: null }, random)],
      /one way to compute rotations/,
    ],
    [
      'peft',
      [input, testAdapter(odd, 2, peftSettings, random, { share: true })],
      /blocks of all layers or of none/,
    ],
    ['peft', [testAdapter(odd, 8, peftSettings, random)], /adapter is empty/],
    ['diff', [output], /were not given/],
    ['onnx', [output], /was not given/],
    ['lycoris', [], /no adapted layer/],
  ] as const)('%s is refused %#', async (format, layers, message) => {
    await expect(writeAdapter(format, { layers })).rejects.toThrow(FormatError);
    await expect(writeAdapter(format, { layers })).rejects.toThrow(message);
    const { obstacles } = adapterFit(
      format,
      layers.map((l) => l.layer),
    );
    if (obstacles.length > 0)
      expect(
        adapterLosses(
          format,
          layers.map((l) => l.layer),
        )[0],
      ).toMatch(message);
  });

  it('losses name what is lost, and a plain adapter loses nothing', () => {
    const losses = (format: AdapterFormat, l: LayerParameters): string =>
      adapterLosses(format, [l.layer]).join('\n');
    expect(losses('lycoris', output)).toBe('');
    expect(losses('peft', input)).toBe('');
    expect(losses('lycoris', testAdapter(linear, 2, {}, random))).toMatch(/written as BOFT/);
    expect(losses('lycoris', testAdapter(odd, 3, {}, random))).toMatch(/refuses the file.*mid.out/);
    expect(losses('lycoris', testAdapter(linear, 4, { clamp: 'peft', constraint: 1 }, random))).toMatch(
      /baked/,
    );
    expect(losses('lycoris', testAdapter(linear, 4, { neumannTerms: 5 }, random))).toMatch(/exact Cayley/);
    expect(losses('comfyui', testAdapter(odd, 3, { rescale: true }, random))).toMatch(/ignores the rescale/);
    expect(losses('oft_r', testAdapter(linear, 6, { ...peftSettings, neumannTerms: null }, random))).toMatch(
      /series of 5 terms/,
    );
    expect(losses('peft', testAdapter(conv, 6, peftSettings, random))).toMatch(/scrambles/);
  });
});

it('has a file in kinds/ for every kind, which is where commands find their names', () => {
  expect([...FORMATS].sort()).toEqual([...adapterFormats].sort());
});
