import { describe, expect, it } from 'vitest';
import { DataError } from '../files.ts';
import { readPipeline } from './pipeline.ts';
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

describe('readPipeline', () => {
  it('finds the parts of the built-in model', async () => {
    const folder = await readPipeline(emoji);
    expect(folder).toMatchObject({
      unet: 'unet/model.onnx',
      texts: [{ part: 'text_encoder', path: 'text_encoder/model.onnx' }],
      vae: null,
      halvings: 2,
      sampleSize: 32,
      channels: 3,
    });
    expect([folder.scheduler.prediction, folder.texts[0]!.tokenizer.length]).toEqual(['v_prediction', 12]);
  });

  it('looks one level down', async () => {
    const folder = await readPipeline(await variant({}, 'emoji/'));
    expect(folder.unet).toBe('emoji/unet/model.onnx');
  });

  it('names every missing part at once', async () => {
    const files = await variant({
      'unet/model.onnx': null,
      'tokenizer/tokenizer.json': null,
    });
    const read = readPipeline(files);
    await expect(read).rejects.toThrow(DataError);
    await expect(read).rejects.toThrow(/my model lacks unet\/model\.onnx, tokenizer\/tokenizer\.json/);
    await expect(readPipeline(memoryFiles({ 'a.txt': '' }))).rejects.toThrow(/model_index\.json/);
  });

  it.each([
    [
      'model_index.json',
      { vae_decoder: ['diffusers', 'OnnxRuntimeModel'] },
      /lacks vae_encoder\/model\.onnx, vae_decoder\/model\.onnx/,
    ],
    [
      'model_index.json',
      { text_encoder_2: ['transformers', 'CLIPTextModel'] },
      /lacks text_encoder_2\/model\.onnx, tokenizer_2\/tokenizer\.json/,
    ],
    ['model_index.json', { requires_aesthetics_score: true }, /refiner/],
    ['unet/config.json', { class_embed_type: 'timestep' }, /class embeddings/],
    ['model_index.json', { transformer: ['diffusers', 'X'] }, /diffusion transformer/],
    ['unet/config.json', { addition_embed_type: 'text_time' }, /addition embeddings/],
    ['unet/config.json', { sample_size: [32, 64] }, /32 × 64/],
    ['unet/config.json', { sample_size: 'big' }, /unet\/config\.json: sample_size/],
    ['scheduler/scheduler_config.json', { beta_schedule: 'odd' }, /beta_schedule/],
  ])('refuses %s with %j', async (path, changes, message) => {
    const files = await variant({ [path]: await merged(path, changes) });
    await expect(readPipeline(files)).rejects.toThrow(message);
    await expect(readPipeline(files)).rejects.toThrow(DataError);
  });

  it('names the file that is not JSON', async () => {
    await expect(readPipeline(await variant({ 'unet/config.json': '{' }))).rejects.toThrow(
      /unet\/config\.json is not JSON/,
    );
  });
});
