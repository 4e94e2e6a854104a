/** @file A model from the web, as the page asks for it. */
import { describe, expect, it } from 'vitest';
import { FakeDownloads } from '../testing/fakeDownloads.ts';
import { atFirst, RemoteModels } from './remote.svelte.ts';

const URL = 'https://example.org/model.onnx';

describe('RemoteModels', () => {
  it('asks first, then downloads, then opens', async () => {
    const remote = new RemoteModels(new FakeDownloads());
    await remote.look(URL);
    expect(remote.left).toBe(93_400_000);
    expect(remote.stored).toEqual([]);
    const source = await remote.download();
    expect(source).toMatchObject({ kind: 'files', name: 'model.onnx' });
    expect(remote.stored).toHaveLength(1);
    await remote.remove(URL);
    expect(remote.stored).toEqual([]);
  });

  it('downloads what was chosen', async () => {
    const remote = new RemoteModels(new FakeDownloads());
    await remote.look(URL);
    remote.choose('model.onnx_data', false);
    expect(remote.left).toBe(1_400_000);
    expect(await remote.download()).toBeNull();
    expect(remote.model?.complete).toBe(false);
    // What is still to come is offered again.
    expect(remote.left).toBe(92_000_000);
  });

  it('keeps what came when cancelled', async () => {
    const fake = new FakeDownloads();
    fake.holdAfter = 3;
    const remote = new RemoteModels(fake);
    await remote.look(URL);
    const going = remote.download();
    await expect.poll(() => remote.progress).not.toBeNull();
    await remote.cancel();
    expect(await going).toBeNull();
    expect(remote.problem?.code).toBe('cancelled');
    expect(remote.begun).toBeGreaterThan(0);
    fake.holdAfter = Infinity;
    expect(await remote.download()).not.toBeNull();
  });

  it('says what is wrong with an address; the latest question is the one that is answered', async () => {
    const remote = new RemoteModels(new FakeDownloads());
    const first = remote.look('https://example.org/absent.onnx');
    const second = remote.look(URL);
    await Promise.all([first, second]);
    expect(remote.problem).toBeNull();
    expect(remote.model?.url).toBe(URL);
    await remote.look('https://example.org/absent.onnx');
    expect(remote.problem?.message).toMatch(/no file/);
    expect(remote.model).toBeNull();
  });
});

describe('atFirst', () => {
  it('leaves out what is there plain, and its weights', () => {
    expect(
      atFirst([
        'onnx/model.onnx',
        'onnx/model.onnx_data',
        'onnx/model_fp16.onnx',
        'onnx/model_fp16.onnx_data',
        'onnx/model_q4f16.onnx',
        'onnx/decoder_model_merged_quantized.onnx',
        'onnx/decoder_model.onnx',
        'tokenizer.json',
      ]),
    ).toEqual(['onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/decoder_model.onnx', 'tokenizer.json']);
  });
  it('keeps a variant that stands alone', () => {
    expect(atFirst(['model_fp16.onnx', 'config.json'])).toEqual(['model_fp16.onnx', 'config.json']);
  });
});
