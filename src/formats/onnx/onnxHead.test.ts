/** @file A trained head in the files that go out: the merged model of real exporters' files, and PEFT's folder. */
import { describe, expect, it } from 'vitest';
import { readWhole, initialParameters, parameterLayout } from '#src/oft/rotation/parameters.ts';
import { peftSettings, plannedLayer } from '#src/oft/plan/planned.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Model } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensor, tensorOf } from '#src/onnx/tensor.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import { logitsOf, replaceHead } from '#src/tasks/classification/head.ts';
import { bindPictures, inputShape, pictureInput } from '#src/tasks/images/pictureInput.ts';
import { readAdapter, writeAdapter } from '../adapters/adapterFiles.ts';
import { readSafetensors } from '../files/safetensors.ts';
import { relative, run } from '../testing/runFile.ts';

/** The same model with every initializer in a Constant node, as Paddle2ONNX writes them. */
const inNodes = (model: Model): Model => ({
  ...model,
  graph: {
    ...model.graph,
    initializers: new Map(),
    nodes: [
      ...[...model.graph.initializers].map(([name, value]) => ({
        op: 'Constant',
        domain: '',
        name: '',
        inputs: [],
        outputs: [name],
        attributes: { value: { kind: 'tensor' as const, value } },
      })),
      ...model.graph.nodes,
    ],
  },
});

async function trained(name: string, count: number, change = (model: Model): Model => model) {
  const files = diskFiles(`e2e/golden/zoo/${name}`);
  const file = await openWhole(files)('model.onnx');
  const model = decodeModel(encodeModel(change(file.model)));
  const input = pictureInput(model, 'model.onnx');
  const size = { width: input.width ?? 32, height: input.height ?? 32 };
  const batch = input.batch ?? 2;
  const own = logitsOf(bindPictures(file, input, batch, size));
  const head = replaceHead(own, count, 3);
  const shape = inputShape(input, batch, size);
  const x = tensor(
    'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i)),
  );
  const feeds = { [input.name]: x };
  const layers = findLayers(head.graph).filter((l) => !head.whole.includes(l.initializer));
  const turned = layers.find((l) => l.kind === 'linear' || l.kernel.length === 2)!;
  const planned = [plannedLayer(turned, peftSettings, { count: turned.in, size: 1 })];
  const layout = parameterLayout(
    planned,
    head.whole.map((w) => ({ name: w, shape: head.graph.constants.get(w)!.shape })),
  );
  const theta = initialParameters(layout, (w) => numbersOf(tensorOf(head.graph.constants.get(w)!)));
  return { model, head, feeds, batch, layers, turned, whole: readWhole(layout, theta) };
}

describe('a new head', () => {
  const models = ['resnet18-ts17', 'resnet18-dyn18', 'mobilenetv2-dyn21', 'vit-hf-ts14', 'vit-timm-dyn23'];
  it.each([
    ...models.map((name) => [name, 'initializers', undefined] as const),
    ...models.map((name) => [name, 'Constant nodes', inNodes] as const),
  ])('is in the merged file of %s with weights in %s, with its classes', async (name, _, change) => {
    const { model, head, feeds, batch, turned, whole } = await trained(name, 7, change);
    const idle = {
      layer: plannedLayer(turned, peftSettings, { count: 1, size: turned.in }),
      blocks: new Float32Array((turned.in * (turned.in - 1)) / 2),
    };
    const classes = ['a', 'b', 'c', 'd', 'e', 'f', 'ü'];
    const written = await writeAdapter('onnx', { layers: [idle], whole, model: { model, classes } });
    const bytes = written.files[0]!.bytes;
    const want = numbersOf((await runGraph(head.graph, feeds))[head.value.name]!);
    const outputs = Object.values(await run(bytes, feeds));
    expect(outputs[0]).toHaveLength(batch * 7);
    expect(relative(outputs[0]!, want)).toBeLessThan(1e-5);
    const again = decodeModel(bytes);
    expect(again.graph.outputs[0]!.shape?.at(-1)).toBe(7);
    expect(JSON.parse(again.metadata.get('labels')!)).toEqual(classes);
    // In half precision, too.
    const half = await writeAdapter('onnx_fp16', { layers: [idle], whole, model: { model } });
    expect(relative(Object.values(await run(half.files[0]!.bytes, feeds))[0]!, want)).toBeLessThan(3e-3);
  });

  it('refuses a file without the weight', async () => {
    const { model, turned, whole } = await trained('resnet18-ts17', 7);
    const idle = {
      layer: plannedLayer(turned, peftSettings, { count: turned.in, size: 1 }),
      blocks: new Float32Array(0),
    };
    const strange = whole.map((w) => ({ ...w, name: `other.${w.name}` }));
    await expect(writeAdapter('onnx', { layers: [idle], whole: strange, model: { model } })).rejects.toThrow(
      /no stored weight other\.fc\.weight, which was trained as a whole/,
    );
  });

  it('is in PEFT’s folder as a module to save, and said to be missing where it cannot be held', async () => {
    const { layers, whole } = await trained('vit-timm-dyn23', 7);
    const layer = layers.find((l) => l.kind === 'linear')!;
    const size = layer.in;
    const turned = {
      layer: plannedLayer(layer, peftSettings, { count: 1, size }),
      blocks: Float32Array.from({ length: (size * (size - 1)) / 2 }, (_, i) => 0.01 * Math.sin(i)),
    };
    const { files, losses } = await writeAdapter('peft', { layers: [turned], whole });
    expect(losses).toEqual([]);
    const config = JSON.parse(new TextDecoder().decode(files[0]!.bytes)) as Record<string, unknown>;
    expect(config).toMatchObject({ modules_to_save: ['head'], target_modules: [layer.path] });
    const { tensors } = readSafetensors(files[1]!.bytes);
    for (const { name, shape, data } of whole)
      expect(tensors.get(`base_model.model.${name}`)).toEqual({ type: 'float32', shape, data });
    const read = readAdapter(new Map(files.map((f) => [f.path, f.bytes])), layers);
    expect(read.layers).toHaveLength(1);
    expect(read.unexpected).toEqual(['base_model.model.head.bias', 'base_model.model.head.weight']);
    const renamed = whole.map((w) => ({ ...w, name: `onnx::MatMul_1${w.name.at(-1)}` }));
    const lost = await writeAdapter('peft', { layers: [turned], whole: renamed });
    expect(lost.losses.join()).toMatch(/has no module's name/);
    const other = await writeAdapter('oft_r', { layers: [turned], whole });
    expect(other.losses.join()).toMatch(/head\.weight, head\.bias\) is in no file of this kind/);
  });
});
