import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { LayerParameters } from '#src/oft/rotation/parameters.ts';
import { defaultSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import { conv, linear } from '#src/oft/testing/layers.ts';
import type { Layer } from '#src/oft/types.ts';
import { type Tensor, tensor } from '#src/onnx/tensor.ts';
import { FormatError } from '../../errors.ts';
import { readLycoris, writeLycoris } from './lycoris.ts';
import { readSafetensors, writeSafetensors } from '../../files/safetensors.ts';

const golden = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../../e2e/golden/${path}`, import.meta.url)));

const layer = (path: string, out: number, kernel: number[] = []): Layer =>
  kernel.length > 0 ? conv(path, out, kernel, { in: 8 }) : linear(path, out, { in: 8 });

/** The adapted layers of the golden UNet, in the model's own order, with widths and kernels from PyTorch's weights. */
function unetLayers(): Layer[] {
  const paths = Object.keys(
    JSON.parse(new TextDecoder().decode(golden('oft/unet/onnx_weights.json'))) as Record<string, unknown>,
  );
  const { tensors } = readSafetensors(golden('oft/unet/diffusion_pytorch_model.safetensors'));
  return paths.map((path) => {
    const [out, , ...kernel] = tensors.get(`${path}.weight`)!.shape;
    return layer(path, out!, kernel);
  });
}

describe("LyCORIS's own file", () => {
  const file = golden('oft/unet/adapter.safetensors');

  it('is read whole', () => {
    const read = readLycoris(file, unetLayers());
    expect(read.prefix).toBe('lora_unet');
    expect(read.layers).toHaveLength(83);
    expect([read.missing, read.unexpected]).toEqual([[], []]);
  });

  it('is written back byte for byte, hash of the tensors included', async () => {
    const { layers, metadata } = readLycoris(file, unetLayers());
    const written = readSafetensors(await writeLycoris(layers, { prefix: 'lora_unet', dim: 8 }));
    expect(Object.fromEntries(written.metadata)).toEqual(Object.fromEntries(metadata));
    expect(Buffer.compare(writeSafetensors(written.tensors, metadata), file)).toBe(0);
  });
});

describe('files of the built-in model', () => {
  /** Layers from the file's own keys: paths need not be the model's, only flatten to the same names. */
  function layersOf(file: Uint8Array): Layer[] {
    return [...readSafetensors(file).tensors]
      .filter(([key]) => key.endsWith('.oft_blocks'))
      .map(([key, { shape }]) =>
        layer(key.replace(/^lycoris_|\.oft_blocks$/g, ''), shape[0]! * shape[1]!, [3, 3]),
      );
  }

  it('reads dim 4', () => {
    const file = golden('emoji/lycoris_dim4.safetensors');
    const read = readLycoris(file, layersOf(file));
    expect(read.prefix).toBe('lycoris');
    expect(read.layers).toHaveLength(133);
    expect(read.layers.reduce((n, l) => n + l.layer.stored, 0)).toBe(57_347);
    expect([read.missing, read.unexpected]).toEqual([[], []]);
    expect(read.layers.some((l) => l.rescale)).toBe(false);
  });

  it('reads alpha and rescale', () => {
    const file = golden('emoji/lycoris_dim8_constraint_rescaled.safetensors');
    const { tensors } = readSafetensors(file);
    const first = readLycoris(file, layersOf(file)).layers[0]!;
    expect(first.layer).toMatchObject({ count: 8, size: 4, rescale: true });
    expect(first.layer.constraint).toBe(tensors.get('lycoris_conv_in.alpha')!.data[0]);
    expect(first.rescale).toEqual(tensors.get('lycoris_conv_in.rescale')!.data);
  });
});

const parameters = (l: Layer, count: number, rescale: boolean): LayerParameters => {
  const size = l.out / count;
  const numbers = (n: number): Float32Array =>
    Float32Array.from({ length: n }, (_, i) => Math.fround(Math.sin(i + n)));
  const blocks = { size };
  const planned = plannedLayer(
    l,
    { ...defaultSettings, blocks, constraint: Math.fround(0.05), rescale },
    { count, size },
  );
  return {
    layer: planned,
    blocks: numbers(count * size * size),
    ...(rescale && { rescale: numbers(l.out) }),
  };
};

describe('round trip', () => {
  const layers = [layer('a.0.to_q', 12), layer('b', 6, [3, 3]), layer('c', 10, [3])];
  const given = [
    parameters(layers[0]!, 3, false),
    parameters(layers[1]!, 6, true),
    parameters(layers[2]!, 2, true),
  ];

  it.each(['lycoris', 'lora_unet', 'lora_te1'] as const)('with prefix %s', async (prefix) => {
    const bytes = await writeLycoris(given, {
      prefix,
      dim: 4,
      modelHash: 'ab12',
      job: 'steps = 3',
      baseModel: 'emoji',
    });
    const read = readLycoris(bytes, layers);
    expect(read.layers).toEqual(given);
    expect(read.prefix).toBe(prefix);
    expect([read.missing, read.unexpected]).toEqual([[], []]);
    expect(Object.fromEntries(read.metadata)).toEqual({
      rotune_job: 'steps = 3',
      rotune_model_sha256: 'ab12',
      ss_base_model_version: 'emoji',
      ss_network_alpha: '1',
      ss_network_args: `{"algo": "diag-oft", "preset": "full", "constraint": "${Math.fround(0.05)}", "rescaled": "True"}`,
      ss_network_dim: '4',
      ss_network_module: 'lycoris.kohya',
      sshs_model_hash: expect.stringMatching(/^0x[0-9a-f]{64}$/) as string,
    });
  });

  it("gives rescale LyCORIS's shapes", async () => {
    const { tensors } = readSafetensors(await writeLycoris(given));
    expect(tensors.get('lycoris_b.rescale')?.shape).toEqual([6, 1, 1, 1]);
    expect(tensors.get('lycoris_c.rescale')?.shape).toEqual([10, 1, 1]);
    expect(tensors.get('lycoris_a_0_to_q.alpha')?.shape).toEqual([]);
  });

  it('says which keys are missing or strange', async () => {
    const { tensors, metadata } = readSafetensors(await writeLycoris(given));
    for (const suffix of ['oft_blocks', 'alpha', 'rescale']) tensors.delete(`lycoris_b.${suffix}`);
    tensors.delete('lycoris_c.alpha');
    tensors.set('lycoris_z.oft_blocks', tensor('float32', [1, 1, 1], [0]));
    const read = readLycoris(writeSafetensors(tensors, metadata), layers);
    expect(read.missing).toEqual(['lycoris_b.alpha', 'lycoris_b.oft_blocks', 'lycoris_c.alpha']);
    expect(read.unexpected).toEqual(['lycoris_z.oft_blocks']);
    expect(read.layers.map((l) => [l.layer.layer.path, l.layer.constraint])).toEqual([
      ['a.0.to_q', Math.fround(0.05)],
      ['c', 0],
    ]);
  });

  it('reads half precision', () => {
    const half = { type: 'float16', shape: [2, 1, 1], data: Uint16Array.of(0x3c00, 0xb801) } as const;
    const brain = { type: 'bfloat16', shape: [], data: Uint16Array.of(0x3f00) } as const;
    const file = writeSafetensors(
      new Map<string, Tensor>([
        ['lycoris_x.oft_blocks', half],
        ['lycoris_x.alpha', brain],
      ]),
    );
    const [read] = readLycoris(file, [layer('x', 2)]).layers;
    expect([...read!.blocks]).toEqual([1, -(0.5 + 2 ** -11)]);
    expect(read!.layer.constraint).toBe(0.5);
  });
});

describe('refusals', () => {
  const x = layer('x', 8);
  const file = (tensors: Record<string, number[]>): Uint8Array =>
    writeSafetensors(
      new Map(
        Object.entries(tensors).map(([key, shape]) => [
          key,
          tensor(
            'float32',
            shape,
            new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(key.endsWith('alpha') ? -1 : 0),
          ),
        ]),
      ),
    );

  it.each<[string, Record<string, number[]>, RegExp]>([
    [
      'another model',
      { 'lycoris_other.oft_blocks': [2, 4, 4] },
      /file has lycoris_other.oft_blocks, the model lycoris_x/,
    ],
    ['an empty file', {}, /holds no tensors/],
    ['blocks that LyCORIS would broadcast', { 'lycoris_x.oft_blocks': [1, 4, 4] }, /\[1,4,4\].*n·b = 8/],
    ['blocks that are not square', { 'lycoris_x.oft_blocks': [2, 4, 2] }, /\[2,4,2\]/],
    ['BOFT of an odd block size', { 'lycoris_x.oft_blocks': [2, 8, 1, 1] }, /even size, not 1/],
    ['too many BOFT stages', { 'lycoris_x.oft_blocks': [3, 2, 4, 4] }, /2 blocks have no 3 BOFT stages/],
    ['BOFT for another width', { 'lycoris_x.oft_blocks': [2, 2, 2, 2] }, /\[m,n,b,b\] with n·b = 8/],
    [
      'a rescale of one',
      { 'lycoris_x.oft_blocks': [2, 4, 4], 'lycoris_x.rescale': [1, 1] },
      /rescale has shape \[1,1\]/,
    ],
    ['a negative constraint', { 'lycoris_x.oft_blocks': [2, 4, 4], 'lycoris_x.alpha': [] }, /alpha is -1/],
    [
      'LoRA',
      { 'lycoris_x.alpha': [], 'lycoris_x.lora_up.weight': [8, 4] },
      /no .oft_blocks: it is not a Diag-OFT or BOFT/,
    ],
  ])('%s', (_, tensors, message) => {
    expect(() => readLycoris(file(tensors), [x])).toThrow(FormatError);
    expect(() => readLycoris(file(tensors), [x])).toThrow(message);
  });

  it('two layers under one name', async () => {
    const twins = [parameters(layer('a.b', 4), 2, false), parameters(layer('a_b', 4), 2, false)];
    await expect(writeLycoris(twins)).rejects.toThrow(/one name, lycoris_a_b, for two layers: a.b and a_b/);
  });

  it('numbers that do not fit', async () => {
    const short = { ...parameters(x, 2, true), blocks: new Float32Array(3) };
    await expect(writeLycoris([short])).rejects.toThrow(/take 32 numbers, 3 were given/);
    const scale = { ...parameters(x, 2, true), rescale: new Float32Array(3) };
    await expect(writeLycoris([scale])).rejects.toThrow(/takes 8 numbers, 3/);
  });
});
