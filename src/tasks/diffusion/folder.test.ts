import { describe, expect, it } from 'vitest';
import type { Model } from '#src/onnx/model.ts';
import { DataError } from '../files.ts';
import { externalPaths, readDiffusionFolder } from './folder.ts';
import { diskFiles, memoryFiles } from './testing/diskFiles.ts';

const emoji = diskFiles('public/models/emoji');
const text = async (path: string): Promise<string> => new TextDecoder().decode(await emoji.read(path));
/** The built-in folder with made-up weights, and with some files changed or (null) taken away. */
async function variant(changes: Record<string, string | null>, root = '') {
  const files = new Map<string, string>();
  for (const path of emoji.paths)
    files.set(root + path, path.endsWith('.onnx') ? 'weights' : await text(path));
  for (const [path, content] of Object.entries(changes))
    if (content === null) files.delete(root + path);
    else files.set(root + path, content);
  return memoryFiles(Object.fromEntries(files), 'my model');
}
const merged = async (path: string, changes: object) =>
  JSON.stringify({ ...(JSON.parse(await text(path)) as object), ...changes });

describe('readDiffusionFolder', () => {
  it('finds the parts of the built-in model', async () => {
    const folder = await readDiffusionFolder(emoji);
    expect(folder).toMatchObject({
      unet: 'unet/model.onnx',
      textEncoder: 'text_encoder/model.onnx',
      sampleSize: 32,
      channels: 3,
    });
    expect([folder.scheduler.prediction, folder.tokenizer.length]).toEqual(['v_prediction', 12]);
  });

  it('looks one level down', async () => {
    const folder = await readDiffusionFolder(await variant({}, 'emoji/'));
    expect(folder.unet).toBe('emoji/unet/model.onnx');
  });

  it('names every missing part at once', async () => {
    const files = await variant({ 'unet/model.onnx': null, 'tokenizer/tokenizer.json': null });
    const read = readDiffusionFolder(files);
    await expect(read).rejects.toThrow(DataError);
    await expect(read).rejects.toThrow(/my model lacks unet\/model\.onnx, tokenizer\/tokenizer\.json/);
    await expect(readDiffusionFolder(memoryFiles({ 'a.txt': '' }))).rejects.toThrow(/model_index\.json/);
  });

  it.each([
    ['model_index.json', { vae_decoder: ['diffusers', 'OnnxRuntimeModel'] }, /VAE/],
    ['model_index.json', { text_encoder_2: ['transformers', 'CLIPTextModel'] }, /second text encoder/],
    ['model_index.json', { transformer: ['diffusers', 'X'] }, /diffusion transformer/],
    ['unet/config.json', { addition_embed_type: 'text_time' }, /addition embeddings/],
    ['unet/config.json', { sample_size: [32, 64] }, /32 × 64/],
    ['unet/config.json', { sample_size: 'big' }, /unet\/config\.json: sample_size/],
    ['scheduler/scheduler_config.json', { beta_schedule: 'odd' }, /beta_schedule/],
  ])('refuses %s with %j', async (path, changes, message) => {
    const files = await variant({ [path]: await merged(path, changes) });
    await expect(readDiffusionFolder(files)).rejects.toThrow(message);
    await expect(readDiffusionFolder(files)).rejects.toThrow(DataError);
  });

  it('names the file that is not JSON', async () => {
    await expect(readDiffusionFolder(await variant({ 'unet/config.json': '{' }))).rejects.toThrow(
      /unet\/config\.json is not JSON/,
    );
  });
});

describe('externalPaths', () => {
  const external = (location: string) => ({
    type: 'float32' as const,
    shape: [1],
    data: { kind: 'external' as const, location, offset: 0, length: 4 },
  });
  const model = (locations: string[]): Model => ({
    irVersion: 8,
    opsets: new Map([['', 17]]),
    producer: '',
    metadata: new Map(),
    graph: {
      name: '',
      inputs: [],
      outputs: [],
      nodes: [],
      initializers: new Map(locations.map((l, i) => [`w${i}`, external(l)])),
    },
  });

  it('finds the files beside the model and names those that are not there', () => {
    const files = memoryFiles({ 'unet/model.onnx': '', 'unet/model.onnx.data': '' }, 'my model');
    expect(
      externalPaths(files, 'unet/model.onnx', model(['model.onnx.data', './model.onnx.data'])),
    ).toContain('unet/model.onnx.data');
    const read = () => externalPaths(files, 'unet/model.onnx', model(['model.onnx.data', 'more.bin']));
    expect(read).toThrow(DataError);
    expect(read).toThrow(/keeps its weights in unet\/more\.bin, which is not in my model/);
  });
});
