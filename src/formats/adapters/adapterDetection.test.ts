import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import type { Layer } from '#src/oft/types.ts';
import { type Tensor, tensor } from '#src/onnx/tensor.ts';
import { readAdapter, writeAdapter } from './adapterFiles.ts';
import { FormatError } from '../errors.ts';
import { readSafetensors, writeSafetensors } from '../files/safetensors.ts';
import { seeded, testAdapter, testLayer } from '../testing/adapters.ts';
import { isZip } from '../files/isZip.ts';
import { unpacked, unzipFiles, zipFiles } from '../files/zip.ts';

const random = seeded(4);
const nested = await zipFiles([
  { path: 'b.zip', bytes: await zipFiles([{ path: 'c', bytes: new Uint8Array(1) }]) },
]);
const nestedEmpty = await zipFiles([{ path: 'b.zip', bytes: await zipFiles([]) }]);

describe('what a file is', () => {
  const unet = new Map(
    ['adapter_config.json', 'adapter_model.safetensors'].map((name) => [
      `somewhere/${name}`,
      new Uint8Array(readFileSync(new URL(`../../../e2e/golden/oft/unet/peft/${name}`, import.meta.url))),
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
    ['a bad archive', one(Uint8Array.of(0x50, 0x4b, 3, 4, 9, 9)), /ZIP archive that is damaged/],
    ['an archive in one', one(nested, 'a.zip'), /holds another ZIP archive/],
    ['an empty archive in one', one(nestedEmpty, 'a.zip'), /safetensors|ZIP/],
    [
      'another kind of PEFT',
      new Map([
        ...one(file({ 'base_model.model.x.lora_A.weight': [4, 8] }), 'adapter_model.safetensors'),
        ['adapter_config.json', new TextEncoder().encode('{"peft_type": "LORA"}')],
      ]),
      /PEFT's type LORA.*merge_and_unload/,
    ],
  ])('refuses %s', async (_, files, message) => {
    const reading = async () => readAdapter(await unpacked(files), [target]);
    await expect(reading()).rejects.toThrow(FormatError);
    await expect(reading()).rejects.toThrow(message);
  });

  it('reads a PEFT folder from a ZIP archive', async () => {
    const archive = await zipFiles([...unet].map(([path, bytes]) => ({ path, bytes })));
    expect(isZip(archive)).toBe(true);
    expect([...(await unzipFiles(archive)).keys()]).toEqual([...unet.keys()]);
    const query = testLayer('down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q', 32, 32);
    const found = readAdapter(await unpacked(one(archive, 'adapter.zip')), [query]);
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
