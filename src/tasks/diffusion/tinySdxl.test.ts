import { describe, expect, it } from 'vitest';
import type { Tensor } from '#src/onnx/tensor.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import type { Graph } from '#src/graph/types.ts';
import { expectAsDiffusers as near, json, tensors } from '../../../e2e/golden/testing/fixtures.ts';
import { openWhole } from '../testing/trainTask.ts';
import type { Adapted, RunGraph, TaskHost } from '../types.ts';
import { timestepTensor } from './batches.ts';
import { draw } from './draw.ts';
import { timeIdsOf } from './examples.ts';
import { loadPipeline } from './load.ts';
import { bindNetwork } from './network.ts';
import { conditionsOf, networkOf } from './networks.ts';
import { defaults } from './options.ts';
import { sample } from './sample.ts';
import { diskFiles, memoryFiles } from './testing/diskFiles.ts';
import { lossStep } from './testing/lossStep.ts';

const golden = tensors('tiny-sdxl/golden.safetensors');
const get = (name: string): Tensor => golden.get(name)!;
const floats = (name: string): Float32Array => get(name).data as Float32Array;
const settings = json('tiny-sdxl/golden.json') as {
  prompts: string[];
  pictures: [height: number, width: number][];
  steps: number;
  guidance: number;
  timestep: number;
  trained: string[];
};

/** The folder, with the VAE and the first tokenizer of the other tiny model. */
const contents: Record<string, Uint8Array> = {};
for (const [folder, wanted] of [
  ['e2e/golden/tiny-sd', /^(vae_|tokenizer\/)/],
  ['e2e/golden/tiny-sdxl', /\/|model_index/],
] as const) {
  const files = diskFiles(folder);
  for (const path of files.paths) if (wanted.test(path)) contents[path] = await files.read(path);
}
const files = memoryFiles(contents, 'tiny-sdxl');
const loaded = await loadPipeline(files, openWhole(files));

const runOnce =
  (graph: Graph): RunGraph =>
  async (feeds) => {
    const given = graph.inputs.map((v) => [v.name, { type: v.type, shape: v.shape, data: feeds[v.name]! }]);
    const out = await runGraph(graph, Object.fromEntries(given) as Record<string, Tensor>);
    return Object.fromEntries(Object.entries(out).map(([name, t]) => [name, t.data]));
  };
const host: TaskHost = {
  backend: 'wasm',
  frozen: (_, __, graph) => runOnce(graph()),
  decodeImage: () => Promise.reject(new Error('No pictures here.')),
};
const network = networkOf(loaded, { batch: 2, plane: [8, 8], trainText: false });
const conditions = conditionsOf(loaded, network, host);
await conditions.add(settings.prompts);

describe('the tiny Stable Diffusion XL folder', () => {
  it('has the ids of both tokenizers, each with its own padding', () => {
    const [first, second] = loaded.pipeline.texts.map(({ tokenizer }) => [
      ...tokenizer.encodeAll(settings.prompts),
    ]);
    expect(first).toEqual([...(get('input_ids').data as Int32Array)]);
    expect(second).toEqual([...(get('input_ids_2').data as Int32Array)]);
    expect(second).not.toEqual(first);
  });

  it('joins the last states but one of both encoders, with the pooled text of the second', () => {
    const told = conditions.stack(settings.prompts);
    near('hidden', told['encoder_hidden_states'] as Float32Array, get('hidden'));
    near('pooled', told['text_embeds'] as Float32Array, get('pooled'));
    const negative = conditions.negatives(['', '', '']);
    near('negative', negative['encoder_hidden_states'] as Float32Array, get('negative_hidden'));
    near('negative pooled', negative['text_embeds'] as Float32Array, get('negative_pooled'));
  });

  it('knows sizes and crops as the training script of diffusers does', () => {
    const rows = settings.pictures.flatMap(([height, width]) =>
      timeIdsOf({ height, width }, { height: 16, width: 16 }),
    );
    expect(rows).toEqual([...floats('train.time_ids')]);
  });

  it('samples latents as StableDiffusionXLPipeline does', async () => {
    const net = networkOf(loaded, { batch: 4, plane: [8, 8], trainText: false });
    const run = runOnce(net.graph);
    const size = { width: 16, height: 16 };
    const latents = await sample({
      denoise: async (x, t, told) =>
        (
          await run({
            [net.sample]: x,
            [net.timestep]: timestepTensor([t, t, t, t], net.timestepType),
            [net.timeIds!]: Float32Array.from([0, 1, 2, 3].flatMap(() => timeIdsOf(size, size))),
            ...told,
          })
        )[net.output] as Float32Array,
      scheduler: loaded.pipeline.scheduler,
      sampler: 'euler',
      steps: settings.steps,
      guidance: settings.guidance,
      noise: floats('noise'),
      conditions: conditions.stack(settings.prompts.slice(0, 2)),
      negative: conditions.negatives(['', '']),
    });
    near('latents', latents, get('drawn'));
  });

  it('draws pictures of prompts', async () => {
    const adapted: Adapted = { run: (_, graph) => Promise.resolve(runOnce(graph)) };
    const studio = { loaded, options: defaults, adapted, conditions, host };
    const wish = { prompts: settings.prompts.slice(0, 1), negative: '', steps: 2, guidance: 3, seed: 0 };
    const { pictures } = await draw(studio, wish, () => undefined);
    expect(pictures.map(({ width, height }) => [width, height])).toEqual([[16, 16]]);
  });

  it.each([
    ['frozen', false],
    ['trained too', true],
  ])("has diffusers' loss and gradients with the text encoders %s", async (_, trainText) => {
    const net = bindNetwork(loaded, { batch: 2, plane: [8, 8], trainText });
    const constants = settings.trained.map((name) => storedAs(net.graph, name));
    const shapes = constants.map((name) => net.graph.constants.get(name)!.shape);
    const graph = lossStep(net, constants);

    const captions = [settings.prompts[0]!, settings.prompts[2]!];
    const [latents, noise] = [floats('train.latents'), floats('train.noise')];
    const t = settings.timestep;
    const out = await runOnce(graph)({
      [net.sample]: loaded.pipeline.scheduler.addNoise(latents, noise, t),
      [net.timestep]: timestepTensor([t, t], net.timestepType),
      [net.timeIds!]: floats('train.time_ids'),
      ...conditionsFor(net, captions),
      target: noise,
      ...Object.fromEntries(constants.map((name) => [`trained:${name}`, valuesOf(net.graph, name)])),
    });
    near('loss', out['loss'] as Float32Array, get('train.loss'));
    settings.trained.forEach((name, i) => {
      const want = get(`train.grad.${name}`);
      const got = out[`grad:${constants[i]!}`] as Float32Array;
      near(name, want.shape.join() === shapes[i]!.join() ? got : transposed(got, want.shape), want);
    });
  });

  const conditionsFor = (net: ReturnType<typeof bindNetwork>, captions: readonly string[]) =>
    net.ids.length > 0 ? conditionsOf(loaded, net, host).stack(captions) : conditions.stack(captions);

  it('is found as single files side by side, too', async () => {
    const flat: Record<string, Uint8Array> = {};
    for (const [path, bytes] of Object.entries(contents)) {
      const model = /^(\w+)\/model\.onnx$/.exec(path)?.[1];
      const config = /^(\w+)\/config\.json$/.exec(path)?.[1];
      if (path !== 'model_index.json')
        flat[model ? `${model}.onnx` : config ? `${config}_config.json` : path.replace(/^scheduler\//, '')] =
          bytes;
    }
    const side = memoryFiles(flat, 'side by side');
    const found = await loadPipeline(side, openWhole(side));
    expect(found.pipeline.texts.map(({ path }) => path)).toEqual([
      'text_encoder.onnx',
      'text_encoder_2.onnx',
    ]);
    expect([found.unet.path, found.pipeline.vae?.decoder, found.pipeline.vae?.factor]).toEqual([
      'unet.onnx',
      'vae_decoder.onnx',
      2,
    ]);
    expect(bindNetwork(found, { batch: 1, plane: [8, 8], trainText: false }).timeIds).toBe('time_ids');
  });
});

const bytesOf = (graph: Graph, name: string): Uint8Array => {
  const { data } = graph.constants.get(name)!;
  if (data.kind !== 'inline') throw new Error('a small model');
  return data.bytes;
};
const valuesOf = (graph: Graph, name: string): Float32Array =>
  new Float32Array(bytesOf(graph, name).slice().buffer);

/** The exporter stores the weights of some linear layers turned, under the names of their MatMuls. */
function storedAs(graph: Graph, name: string): string {
  const found = [...graph.constants.keys()].find((key) => key.endsWith(name));
  if (found !== undefined) return found;
  const scope = `/${name.replace(/\.weight$/, '').replace(/\.(?=[a-z])/g, '/')}/MatMul`;
  const node = graph.nodes.find((n) => n.name.endsWith(scope));
  if (!node) throw new Error(`no ${name}`);
  return node.inputs[1]!;
}

function transposed(values: Float32Array, [rows, columns]: readonly number[]): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % columns!) * rows! + Math.floor(i / columns!)]!);
}
