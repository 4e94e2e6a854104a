/** @file The tiny diffusers UNet with the adapters that LyCORIS and PEFT saved: names, outputs, strength, every adapter gradient. */
import { describe, expect, it } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import { type AdapterFile, readAdapter } from '#src/formats/adapters/adapterFiles.ts';
import { prune } from '#src/graph/prune.ts';
import type { Graph } from '#src/graph/types.ts';
import { hostRotations } from '#src/oft/rotation/hostRotation.ts';
import { insertAdapters } from '#src/oft/insertion/insert.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import {
  type Layout,
  parameterLayout,
  readParameters,
  writeParameters,
} from '#src/oft/rotation/parameters.ts';
import { emitRotations } from '#src/oft/rotation/rotations.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { builder } from '#src/ops/table.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { compileForward } from '#src/program/forward.ts';
import { expectNear, fixture, json, largest, tensors } from './testing/fixtures.ts';

const cases = json('oft/cases.json') as { name: string; f32_vs_f64?: Record<string, number> }[];
const gap = (name: string, key: string): number => cases.find((c) => c.name === name)?.f32_vs_f64?.[key] ?? 0;

const model = decodeModel(fixture('oft/unet/model.onnx'));
const io = tensors('oft/unet/io.safetensors');
const peftIo = tensors('oft/unet/peft_io.safetensors');

const feedsOf = (data: ReadonlyMap<string, Tensor>): Record<string, Tensor> =>
  Object.fromEntries(['sample', 'timestep', 'encoder_hidden_states'].map((k) => [k, data.get(k)!]));

function bound(): Graph {
  const shapes = feedsOf(io);
  const dims: Record<string, number> = {};
  for (const input of model.graph.inputs)
    input.shape?.forEach((d, i) => {
      if (typeof d === 'string') dims[d] = shapes[input.name]!.shape[i]!;
    });
  return importGraph(model, dims);
}
const graph = bound();
const output = graph.outputs[0]!.name;

function adapted(file: AdapterFile): { layout: Layout; theta: Float32Array } {
  const layout = parameterLayout(file.layers.map((l) => l.layer));
  return { layout, theta: writeParameters(layout, new Map(file.layers.map((l) => [l.layer.layer.path, l]))) };
}

async function outputUnder(
  file: AdapterFile,
  data: ReadonlyMap<string, Tensor>,
  strength: number,
): Promise<Tensor> {
  const { layout, theta } = adapted(file);
  const program = compileForward({ graph, layout });
  const rotations = hostRotations(layout, theta, strength);
  const feeds = Object.fromEntries(
    program.feeds.flatMap(({ name, type, shape }) =>
      rotations[name] ? [[name, { type, shape, data: rotations[name] }]] : [],
    ),
  );
  return (await runGraph(program.stages[0]!.graph, { ...feedsOf(data), ...feeds }))[output]!;
}

const lycoris = readAdapter(
  new Map([['adapter.safetensors', fixture('oft/unet/adapter.safetensors')]]),
  findLayers(graph),
);
const peft = readAdapter(
  new Map(
    ['adapter_config.json', 'adapter_model.safetensors'].map((n) => [n, fixture(`oft/unet/peft/${n}`)]),
  ),
  findLayers(graph),
);

it('finds every module, with or without a name of its own, and its orientation', () => {
  const want = json('oft/unet/onnx_weights.json') as Record<
    string,
    { initializer: string; transposed: boolean }
  >;
  const found = findLayers(graph).map((l) => [
    l.path,
    // torch's Linear is (out, in); a Gemm with transB holds it so, a MatMul transposed.
    { initializer: l.initializer, transposed: l.transposed },
  ]);
  expect(Object.fromEntries(found)).toEqual(want);
});

it('the untouched model gives torch’s output', async () => {
  const out = await runGraph(graph, feedsOf(io));
  const want = io.get('expected.output_base')!;
  expectNear('output', out[output]!, want, 5e-6 * largest(want));
});

describe('LyCORIS’s file', () => {
  it('is read whole', () => {
    expect([lycoris.format, lycoris.missing, lycoris.unexpected]).toEqual(['lycoris', [], []]);
    expect(lycoris.layers).toHaveLength(83);
  });

  it.each([
    ['expected.output', 1],
    ['expected.output_multiplier_0.5', 0.5],
  ] as const)('gives %s at strength %f', async (key, strength) => {
    const want = io.get(key)!;
    const got = await outputUnder(lycoris, io, strength);
    expectNear(key, got, want, 5 * gap('unet', key) + 5e-6 * largest(want));
  });

  it.each(['auto', 'gram', 'weight'] as const)('has LyCORIS’s gradients, %s route', async (route) => {
    const { layout, theta } = adapted(lycoris);
    const g = builder();
    g.startFrom(graph);
    const vector = g.input('theta', 'float32', [layout.size]);
    const rotations = emitRotations(g, layout, vector, { rounds: 16 });
    insertAdapters(g, graph, layout, rotations.layers, route);
    const cotangent = io.get('cotangent')!;
    const dy = g.input('cotangent', 'float32', cotangent.shape);
    const grads = backward(g, new Map([[output, dy]]), rotations.segments);
    grads.forEach((x, i) => x && g.output(x, `grad.${i}`));
    const out = await runGraph(prune(g.build()), {
      ...feedsOf(io),
      theta: { type: 'float32', shape: [layout.size], data: theta },
      cotangent,
    });
    const flat = new Float32Array(layout.size);
    let offset = 0;
    rotations.segments.forEach((s, i) => {
      const got = out[`grad.${i}`];
      if (got) flat.set(got.data as Float32Array, offset);
      offset += s.shape[0]!;
    });
    let checked = 0;
    for (const { layer, blocks } of readParameters(layout, flat)) {
      const key = `grad.lora_unet_${layer.layer.path.replaceAll('.', '_')}.oft_blocks`;
      const want = io.get(key)!;
      expectNear(
        key,
        { type: 'float32', shape: want.shape, data: blocks },
        want,
        5 * gap('unet', key) + 1e-5 * largest(want),
      );
      checked++;
    }
    expect(checked).toBe(83);
  });
});

describe('PEFT’s folder', () => {
  it('is read whole', () => {
    expect([peft.format, peft.unexpected]).toEqual(['peft', []]);
    // Its target_modules are the attention and feed-forward layers: 40 of the 83.
    expect([peft.layers.length, peft.missing.length]).toEqual([40, 43]);
  });

  it('gives PEFT’s output', async () => {
    const want = peftIo.get('expected.output')!;
    const got = await outputUnder(peft, peftIo, 1);
    expectNear('output', got, want, 5 * gap('unet_peft', 'expected.output') + 5e-6 * largest(want));
  });
});
