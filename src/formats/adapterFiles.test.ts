import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mergeWeight } from '#src/oft/mergeWeight.ts';
import type { LayerParameters } from '#src/oft/parameters.ts';
import { peftSettings } from '#src/oft/planned.ts';
import type { Clamp, Layer } from '#src/oft/types.ts';
import { type Tensor, tensor } from '#src/onnx/tensor.ts';
import { adapterFit, adapterLosses, readAdapter, writeAdapter } from './adapterFiles.ts';
import type { AdapterFormat } from './adapterFormat.ts';
import { FormatError } from './errors.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { seeded, testAdapter, testLayer, testWeight } from './testing/adapters.ts';
import { isZip, unzipFiles, zipFiles } from './zip.ts';

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

describe('what a file is', () => {
  const unet = new Map(
    ['adapter_config.json', 'adapter_model.safetensors'].map((name) => [
      `somewhere/${name}`,
      new Uint8Array(readFileSync(new URL(`../../e2e/golden/oft/unet/peft/${name}`, import.meta.url))),
    ]),
  );
  const target = testLayer('x', 8, 8);
  const file = (tensors: Record<string, number[]>, metadata = new Map<string, string>()): Uint8Array =>
    writeSafetensors(
      new Map<string, Tensor>(
        Object.entries(tensors).map(([key, shape]) => [
          key,
          tensor('float32', shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.01)),
        ]),
      ),
      metadata,
    );
  const one = (bytes: Uint8Array, path = 'a.safetensors'): ReadonlyMap<string, Uint8Array> =>
    new Map([[path, bytes]]);
  const read = (tensors: Record<string, number[]>, layers: readonly Layer[] = [target]) =>
    readAdapter(one(file(tensors)), layers);

  it.each([
    ['lora_unet_x.oft_blocks', [2, 4, 4], 'lycoris'],
    ['oft_unet_x.oft_blocks', [2, 4, 4], 'lycoris'],
    ['diffusion_model.x.oft_blocks', [2, 4, 4], 'lycoris'],
    ['base_model.model.x.oft_R.weight', [2, 6], 'peft'],
    ['base_model.model.x.oft_R.default.weight', [2, 6], 'peft'],
    ['lora_unet_x.oft_R.weight', [2, 6], 'oft_r'],
    ['transformer.x.oft_R.weight', [1, 6], 'oft_r'],
    ['lycoris_x.diff', [8, 8], 'diff'],
  ] as const)('%s', (key, shape, format) => {
    const found = read({ [key]: [...shape] });
    expect([found.format, found.layers.length + (found.differences?.size ?? 0)]).toEqual([format, 1]);
    expect(found.unexpected).toEqual([]);
  });

  it.each<[string, Record<string, number[]>, RegExp]>([
    [
      'LoRA',
      { 'lora_unet_x.lora_up.weight': [8, 4], 'lora_unet_x.lora_down.weight': [4, 8] },
      /is a LoRA \(.*export/,
    ],
    ['PEFT LoRA', { 'base_model.model.x.lora_A.weight': [4, 8] }, /is a LoRA/],
    ['DoRA', { 'x.lora_up.weight': [8, 4], 'x.dora_scale': [8, 1] }, /is a DoRA/],
    ['LoHa', { 'lora_unet_x.hada_w1_a': [8, 4], 'lora_unet_x.alpha': [] }, /is a LoHa/],
    ['LoKr', { 'lora_unet_x.lokr_w1': [2, 2] }, /is a LoKr/],
    ['IA3', { 'base_model.model.x.ia3_l': [8] }, /\(IA\)³/],
    ['PEFT BOFT', { 'base_model.model.x.boft_R': [1, 2, 4, 4] }, /PEFT's BOFT/],
    ['old OFT', { 'lora_unet_x.oft_diag': [2, 4, 4] }, /old OFT/],
    [
      'DoRA on OFT',
      { 'lora_unet_x.oft_R.weight': [2, 6], 'lora_unet_x.dora_scale': [8, 1] },
      /combines OFT with DoRA/,
    ],
    ['weights', { 'model.x.weight': [8, 8] }, /no adapter that is known: it has model.x.weight/],
    ['nothing', {}, /holds no tensors/],
    ['another model', { 'lora_unet_y.oft_R.weight': [2, 6] }, /made for another model/],
    ['a wrong triangle', { 'lora_unet_x.oft_R.weight': [2, 5] }, /\[2,5\].*n·b = 8/],
    ['too many blocks', { 'lora_unet_x.oft_R.weight': [4, 6] }, /\[4,6\]/],
    ['a difference of another shape', { 'lycoris_x.diff': [8, 4] }, /weight of x is \[8,8\]/],
  ])('refuses %s', (_, tensors, message) => {
    expect(() => read(tensors)).toThrow(FormatError);
    expect(() => read(tensors)).toThrow(message);
  });

  it.each<[string, ReadonlyMap<string, Uint8Array>, RegExp]>([
    ['a pickle', one(new Uint8Array(20), 'adapter_model.bin'), /pickle.*safetensors/],
    ['a model', one(new Uint8Array(20), 'model.onnx'), /whole model/],
    [
      'two files',
      new Map([...one(new Uint8Array(1), 'a.safetensors'), ...one(new Uint8Array(1), 'b.safetensors')]),
      /several/,
    ],
    ['no file', new Map(), /no safetensors/],
    [
      'a folder without',
      new Map([...one(new Uint8Array(1), 'a.txt'), ...one(new Uint8Array(1), 'b.txt')]),
      /no safetensors/,
    ],
    ['a bad archive', one(Uint8Array.of(0x50, 0x4b, 3, 4, 9, 9)), /ZIP archive is damaged/],
    [
      'an archive in one',
      one(zipFiles([{ path: 'b.zip', bytes: zipFiles([]) }]), 'a.zip'),
      /safetensors|ZIP/,
    ],
    [
      'another kind of PEFT',
      new Map([
        ...one(file({ 'base_model.model.x.lora_A.weight': [4, 8] }), 'adapter_model.safetensors'),
        ['adapter_config.json', new TextEncoder().encode('{"peft_type": "LORA"}')],
      ]),
      /PEFT's type LORA.*merge_and_unload/,
    ],
  ])('refuses %s', (_, files, message) => {
    expect(() => readAdapter(files, [target])).toThrow(FormatError);
    expect(() => readAdapter(files, [target])).toThrow(message);
  });

  it('reads a PEFT folder from a ZIP archive', () => {
    const archive = zipFiles([...unet].map(([path, bytes]) => ({ path, bytes })));
    expect(isZip(archive)).toBe(true);
    expect([...unzipFiles(archive).keys()]).toEqual([...unet.keys()]);
    const query = testLayer('down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q', 32, 32);
    const found = readAdapter(one(archive, 'adapter.zip'), [query]);
    expect(found.format).toBe('peft');
    expect(found.layers[0]!.layer).toMatchObject({ size: 8, count: 4, side: 'input', neumannTerms: 5 });
    expect(found.unexpected).toHaveLength(39);
  });

  it('refuses numbers that are not finite', () => {
    const bytes = writeSafetensors(
      new Map([['lora_unet_x.oft_R.weight', tensor('float32', [2, 6], Array<number>(12).fill(NaN))]]),
    );
    expect(() => readAdapter(one(bytes), [target])).toThrow(/adapter of x holds numbers that are not finite/);
  });

  it("divides OneTrainer's scaled blocks", () => {
    const found = readAdapter(
      one(file({ 'lora_unet_x.oft_R.weight': [2, 6], 'lora_unet_x.oft_R.scaled_oft': [] })),
      [target],
    );
    expect(found.layers[0]!.blocks[0]).toBeCloseTo(0.01 / (2 * Math.sqrt(3)), 8);
    expect(found.unexpected).toEqual([]);
    expect(found.notes.join()).toMatch(/scaled OFT/);
  });

  it('keeps text encoders apart in a file with both', async () => {
    const unetLayer = testLayer('mid.fc', 8, 8, { part: 'unet' });
    const text = testLayer('layers.0.fc1', 8, 8, { part: 'text_encoder' });
    const given = [unetLayer, text].map((l) => testAdapter(l, 4, {}, random));
    const { files } = await writeAdapter('lycoris', { layers: given, meta: { prefix: 'lora_unet' } });
    expect([...readSafetensors(files[0]!.bytes).tensors.keys()].filter((k) => k.endsWith('blocks'))).toEqual([
      'lora_te_layers_0_fc1.oft_blocks',
      'lora_unet_mid_fc.oft_blocks',
    ]);
    expect(readAdapter(one(files[0]!.bytes), [unetLayer, text]).layers).toEqual(given.map(asRead));
  });
});

/** A written adapter's settings as a reader knows them. */
const asRead = (l: LayerParameters): LayerParameters => ({
  ...l,
  layer: { ...l.layer, blocks: { size: l.layer.size } },
});

describe('damaged files', () => {
  it('300 mutations of each format are read or refused, never crash', async () => {
    const roll = seeded(300);
    const output = [conv, linear].map((l) => testAdapter(l, 4, { rescale: true, constraint: 0.1 }, random));
    const boft = [conv, linear].map((l) => testAdapter(l, 4, { algorithm: 'boft' }, random, { stages: 3 }));
    const input = [conv, linear].map((l) => testAdapter(l, 4, peftSettings, random));
    const sources: Map<string, Uint8Array>[] = [];
    for (const [format, layers] of [
      ['lycoris', output],
      ['lycoris', boft],
      ['comfyui', output],
      ['peft', input],
      ['oft_r', input],
      ['diff', input],
    ] as const) {
      const { files } = await writeAdapter(format, { layers, weight: testWeight });
      sources.push(new Map(files.map((f) => [f.path, f.bytes])));
    }
    const peft = [...sources[3]!].map(([path, bytes]) => ({ path, bytes }));
    sources.push(new Map([['a.zip', zipFiles(peft)]]));
    let refused = 0;
    for (let i = 0; i < 300; i++)
      for (const source of sources) {
        const files = new Map([...source].map(([path, bytes]) => [path, mutated(bytes, roll)]));
        try {
          for (const l of readAdapter(files, model).layers) {
            expect(l.blocks).toBeInstanceOf(Float32Array);
            expect(l.layer.count * l.layer.size).toBe(l.layer.width);
          }
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          expect(error.message.length).toBeGreaterThan(20);
          refused++;
        }
      }
    expect(refused).toBeGreaterThan(300);
  });
});

/** Bytes changed, cut, doubled or swapped, mostly in the header, where the structure is. */
function mutated(bytes: Uint8Array, roll: () => number): Uint8Array {
  let out = bytes.slice();
  const edits = 1 + Math.floor(roll() * 3);
  for (let e = 0; e < edits; e++) {
    const reach = roll() < 0.8 ? Math.min(out.length, 600) : out.length;
    const at = Math.floor(roll() * reach);
    const kind = roll();
    if (kind < 0.45) out[at] = Math.floor(roll() * 256);
    else if (kind < 0.7) out[at] = 48 + Math.floor(roll() * 10);
    else if (kind < 0.8) out = out.slice(0, at);
    else if (kind < 0.9) out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(at + 1)]);
    else out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(Math.max(0, at - 8))]);
  }
  return out;
}
