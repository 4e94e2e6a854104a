/** @file A small UNet's layers as the planner would list them, for the fake trainer. */
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Layer, Plan, PlannedLayer } from '#src/oft/types.ts';

function layer(path: string, inWidth: number, out: number, kernel: readonly number[] = []): Layer {
  return {
    path,
    kind: kernel.length > 0 ? 'conv' : 'linear',
    nodes: [`/${path.replaceAll('.', '/')}`],
    initializer: `${path}.weight`,
    op: kernel.length > 0 ? 'Conv' : 'MatMul',
    in: inWidth,
    out,
    kernel,
    stride: kernel.length > 0 ? [1, 1] : [],
    groups: 1,
    transposed: kernel.length === 0,
  };
}

const attention = (at: string, width: number) => [
  layer(`${at}.proj_in`, width, width, [1, 1]),
  ...['attn1', 'attn2'].flatMap((name) =>
    ['to_q', 'to_k', 'to_v', 'to_out.0'].map((to) =>
      layer(
        `${at}.transformer_blocks.0.${name}.${to}`,
        name === 'attn2' && /[kv]$/.test(to) ? 96 : width,
        width,
      ),
    ),
  ),
  layer(`${at}.transformer_blocks.0.ff.net.0.proj`, width, width * 8),
  layer(`${at}.transformer_blocks.0.ff.net.2`, width * 4, width),
  layer(`${at}.proj_out`, width, width, [1, 1]),
];

const resnet = (at: string, from: number, width: number) => [
  layer(`${at}.conv1`, from, width, [3, 3]),
  layer(`${at}.time_emb_proj`, 128, width),
  layer(`${at}.conv2`, width, width, [3, 3]),
];

export const fakeLayers: readonly Layer[] = [
  layer('conv_in', 3, 32, [3, 3]),
  layer('time_embedding.linear_1', 32, 128),
  layer('time_embedding.linear_2', 128, 128),
  ...[32, 64, 96].flatMap((width, i) => [
    ...resnet(`down_blocks.${i}.resnets.0`, i === 0 ? 32 : width - 32, width),
    ...(i === 0 ? [] : attention(`down_blocks.${i}.attentions.0`, width)),
  ]),
  ...resnet('mid_block.resnets.0', 96, 96),
  ...attention('mid_block.attentions.0', 96),
  ...[96, 64, 32].flatMap((width, i) => [
    ...resnet(`up_blocks.${i}.resnets.0`, width * 2, width),
    ...(i === 2 ? [] : attention(`up_blocks.${i}.attentions.0`, width)),
  ]),
  layer('conv_out', 32, 3, [3, 3]),
];

/** All of them under a plan; layers that it cannot cut are left out. */
export const fakePlan = (plan: Plan): PlannedLayer[] => planLayers(fakeLayers, plan).planned;

/** `count` layers of a network as wide and as deep as wanted, for whatever must stay fast. */
export const manyLayers = (count: number): Layer[] =>
  Array.from({ length: count }, (_, i) => {
    const known = fakeLayers[i % fakeLayers.length]!;
    return { ...known, path: `repeat.${Math.floor(i / fakeLayers.length)}.${known.path}` };
  });
