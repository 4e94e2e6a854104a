import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findLayers } from '#src/oft/layers/layers.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { loadExternal } from '#src/onnx/external.ts';
import { numbersOf, type Tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { readAdapter, writeAdapter } from '../adapters/adapterFiles.ts';
import type { MergeOptions } from '../adapters/adapterTypes.ts';
import { torchWeights } from './onnxWeights.ts';
import { readSafetensors } from '../files/safetensors.ts';
import { relative, run } from '../testing/runFile.ts';

const golden = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../e2e/golden/oft/unet/${path}`, import.meta.url)));

describe("the UNet under LyCORIS's and PEFT's adapters", () => {
  const model = decodeModel(golden('model.onnx'));
  const layers = findLayers(importGraph(model, {}));
  const io = readSafetensors(golden('io.safetensors')).tensors;
  const feeds = (of: ReadonlyMap<string, Tensor>): Record<string, Tensor> =>
    Object.fromEntries(['sample', 'timestep', 'encoder_hidden_states'].map((k) => [k, of.get(k)!]));
  const lycoris = readAdapter(new Map([['a.safetensors', golden('adapter.safetensors')]]), layers).layers;
  const merged = async (options: Partial<MergeOptions> = {}) =>
    (await writeAdapter('onnx', { layers: lycoris, model: { model, ...options } })).files;

  it.each([
    ['expected.output', 1, 5e-6],
    ['expected.output_multiplier_0.5', 0.5, 5e-6],
    ['expected.output_base', 0, 5e-6],
  ])('gives %s at strength %f', async (key, strength, tolerance) => {
    const [file] = await merged({ strength });
    const { out_sample: got } = await run(file!.bytes, feeds(io));
    expect(relative(got!, numbersOf(io.get(key)!))).toBeLessThan(tolerance);
  });

  it('keeps names, so that it opens with the same layers', async () => {
    const [file] = await merged();
    const again = decodeModel(file!.bytes);
    expect(findLayers(importGraph(again, {}))).toEqual(layers);
    expect(again.graph.initializers.size).toBe(model.graph.initializers.size);
    expect(again.graph.nodes).toHaveLength(model.graph.nodes.length);
  });

  it('holds its weights in a file beside it', async () => {
    const [file, data] = await merged({ external: true });
    expect(data!.path).toBe('model.onnx.data');
    expect(file!.bytes.length).toBeLessThan(300_000);
    const { out_sample: got } = await run(file!.bytes, feeds(io), data);
    expect(relative(got!, numbersOf(io.get('expected.output')!))).toBeLessThan(5e-6);
    const loaded = loadExternal(decodeModel(file!.bytes), new Map([[data!.path, data!.bytes]]));
    expect(torchWeights(loaded)(layers[0]!)).toHaveLength(layers[0]!.in * layers[0]!.out);
  });

  it('holds its weights in half the space', async () => {
    const [whole] = await merged();
    const [half] = await merged({ precision: 'float16' });
    expect(half!.bytes.length).toBeLessThan(0.6 * whole!.bytes.length);
    const { out_sample: got } = await run(half!.bytes, feeds(io));
    // Eleven bits of each weight.
    const error = relative(got!, numbersOf(io.get('expected.output')!));
    expect(error).toBeLessThan(3e-3);
    expect(error).toBeGreaterThan(1e-5);
    expect(findLayers(importGraph(decodeModel(half!.bytes), {})).map((l) => l.path)).toEqual(
      layers.map((l) => l.path),
    );
  });

  it("gives PEFT's output", async () => {
    const own = readAdapter(
      new Map(['adapter_config.json', 'adapter_model.safetensors'].map((n) => [n, golden(`peft/${n}`)])),
      layers,
    ).layers;
    const { files } = await writeAdapter('onnx', { layers: own, model: { model } });
    const peftIo = readSafetensors(golden('peft_io.safetensors')).tensors;
    const { out_sample: got } = await run(files[0]!.bytes, feeds(peftIo));
    expect(relative(got!, numbersOf(peftIo.get('expected.output')!))).toBeLessThan(5e-6);
  });
});
