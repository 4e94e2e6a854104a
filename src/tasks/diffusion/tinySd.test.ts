import { describe, expect, it } from 'vitest';
import { numbersOf, type Tensor } from '#src/onnx/tensor.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import type { Graph } from '#src/graph/types.ts';
import { expectAsDiffusers as near, json, tensors } from '../../../e2e/golden/testing/fixtures.ts';
import { openWhole } from '../testing/trainTask.ts';
import { timestepTensor } from './batches.ts';
import { loadPipeline, sideOf } from './load.ts';
import { bindEncoder, bindNetwork, type Network } from './network.ts';
import { posterior, unscaled } from './posterior.ts';
import { joined } from './rows.ts';
import { sample } from './sample.ts';
import { diskFiles } from './testing/diskFiles.ts';
import { lossStep } from './testing/lossStep.ts';
import { bindVaeDecoder, bindVaeEncoder } from './vae.ts';

const golden = tensors('tiny-sd/golden.safetensors');
const get = (name: string): Tensor => golden.get(name)!;
const floats = (name: string): Float32Array => get(name).data as Float32Array;
const settings = json('tiny-sd/golden.json') as {
  prompts: string[];
  negative: string;
  guidance_scale: number;
  sampling_steps: number;
};
const files = diskFiles('e2e/golden/tiny-sd');
const loaded = await loadPipeline(files, openWhole(files));
const { pipeline } = loaded;
const { tokenizer } = pipeline.texts[0]!;

/** All outputs of a graph, from plain arrays. */
async function outputs(
  graph: Graph,
  feeds: Record<string, Tensor['data']>,
): Promise<Record<string, Float32Array>> {
  const given = Object.fromEntries(
    graph.inputs.map((v) => [v.name, { type: v.type, shape: v.shape, data: feeds[v.name]! }]),
  );
  const out = await runGraph(graph, given);
  return Object.fromEntries(Object.entries(out).map(([name, t]) => [name, t.data as Float32Array]));
}

async function embed(texts: readonly string[]): Promise<Float32Array> {
  const { graph, ids, hidden } = bindEncoder(loaded, 0, texts.length);
  return (await outputs(graph, { [ids.name]: tokenizer.encodeAll(texts) }))[hidden.name]!;
}

/** Latents of [N, 3, 16, 16] pixels, in the UNet's scale. */
async function encode(
  pixels: Float32Array,
  each = 768,
): Promise<{ parameters: Float32Array; latents: Float32Array }> {
  const bound = bindVaeEncoder(
    loaded.vae!.encoder.model,
    pipeline.vae!.encoder,
    { width: 16, height: 16 },
    4,
    2,
  );
  expect(bound.gives).toBe('parameters');
  const rows: Float32Array[] = [];
  for (let at = 0; at < pixels.length; at += each)
    rows.push((await outputs(bound.graph, { [bound.sample]: pixels.slice(at, at + each) }))[bound.output]!);
  return {
    parameters: joined(rows),
    latents: joined(rows.map((row) => posterior(row, pipeline.vae!.scale, false).mean)),
  };
}

async function decode(latents: Float32Array, each = 256): Promise<Float32Array> {
  const bound = bindVaeDecoder(loaded.vae!.decoder.model, pipeline.vae!.decoder, [4, 8, 8], 2);
  const rows: Float32Array[] = [];
  for (let at = 0; at < latents.length; at += each)
    rows.push((await outputs(bound.graph, { [bound.latents]: latents.slice(at, at + each) }))[bound.output]!);
  return joined(rows);
}

describe('the tiny Stable Diffusion folder', () => {
  it('has the ids of CLIPTokenizer', () => {
    expect([...tokenizer.encodeAll(settings.prompts)]).toEqual([...(get('input_ids').data as Int32Array)]);
    expect(settings.prompts.map((p) => tokenizer.overflow(p) > 0)).toEqual([false, true, true, false]);
  });

  it('embeds captions as transformers does', async () => {
    near('hidden', await embed(settings.prompts), get('last_hidden_state'));
  });

  it('encodes pictures as diffusers does', async () => {
    near('parameters', (await encode(floats('image'))).parameters, get('latent_parameters'));
    expect(pipeline.vae).toMatchObject({ scale: { scaling: 0.18215, shift: 0 }, factor: 2 });
  });

  it('decodes latents as diffusers does', async () => {
    near('pixels', await decode(floats('decoder_input')), get('decoded'));
  });

  it('samples as diffusers does', async () => {
    const { scheduler } = pipeline;
    expect([...scheduler.timesteps(settings.sampling_steps)]).toEqual([...numbersOf(get('timesteps'))]);
    const net = bindNetwork(loaded, { batch: 4, plane: [8, 8], trainText: false });
    const latent = await sample({
      denoise: async (x, t, { hidden }) =>
        (
          await outputs(net.graph, {
            [net.sample]: x,
            [net.timestep]: timestepTensor([t, t, t, t], net.timestepType),
            [net.hidden!]: hidden!,
          })
        )[net.output]!,
      scheduler,
      steps: settings.sampling_steps,
      guidance: settings.guidance_scale,
      noise: floats('noise'),
      conditions: { hidden: await embed(settings.prompts.slice(0, 2)) },
      negative: { hidden: await embed([settings.negative, settings.negative]) },
    });
    near('latent', latent, get('sampled_latent'));
    near('image', await decode(unscaled(latent, pipeline.vae!.scale)), get('sampled_image'));
  });

  const names = ['conv_in.weight', 'mid_block.resnets.0.conv1.weight'];
  const valuesOf = (net: Network, name: string): Float32Array => {
    const { data } = net.graph.constants.get(name)!;
    if (data.kind !== 'inline') throw new Error('a small model');
    return new Float32Array(data.bytes.slice().buffer);
  };

  it.each([
    ['frozen', false],
    ['trained too', true],
  ])("has diffusers' loss and gradients with the text encoder %s", async (_, trainText) => {
    const { latents } = await encode(floats('image'));
    const noise = floats('train.noise');
    const t = Number(get('train.timestep').data[0]);
    const net = bindNetwork(loaded, { batch: 2, plane: [8, 8], trainText });
    const graph = lossStep(net, names);
    const prompts = settings.prompts.slice(0, 2);
    const out = await outputs(graph, {
      [net.sample]: pipeline.scheduler.addNoise(latents, noise, t),
      [net.timestep]: timestepTensor([t, t], net.timestepType),
      ...(trainText
        ? { [net.ids[0]!.name]: tokenizer.encodeAll(prompts) }
        : { [net.hidden!]: await embed(prompts) }),
      target: noise,
      ...Object.fromEntries(names.map((name) => [`trained:${name}`, valuesOf(net, name)])),
    });
    near('loss', out['loss']!, get('train.loss'));
    for (const name of names) near(name, out[`grad:${name}`]!, get(`train.grad.${name}`));
  });

  it('finds layers of both parts where both are trained', () => {
    expect(sideOf(loaded)).toBe(8);
    const alone = bindNetwork(loaded, { batch: 1, plane: [8, 8], trainText: false });
    const both = bindNetwork(loaded, { batch: 1, plane: [8, 8], trainText: true });
    const of = (net: Network, part: string) => net.layers.filter((l) => l.part === part);
    expect(of(alone, 'text_encoder')).toEqual([]);
    expect(of(both, 'unet').map((l) => l.path)).toEqual(of(alone, 'unet').map((l) => l.path));
    // Two CLIP layers of six linear ones each.
    expect(of(both, 'text_encoder')).toHaveLength(12);
    for (const layer of both.layers) expect(both.graph.constants.has(layer.initializer)).toBe(true);
  });
});
