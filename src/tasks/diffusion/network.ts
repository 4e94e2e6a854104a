/** @file The network at a batch and a size: the UNet, with the text encoders before it where they are trained too. */
import { prune } from '#src/graph/prune.ts';
import { type Graph, GraphError, type Value } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { withEncoders } from '#src/oft/modules/tree.ts';
import type { Layer } from '#src/oft/types.ts';
import { ModelError } from '#src/onnx/model.ts';
import type { TimestepType } from './batches.ts';
import { floatInput, free, inputOf, needed, rank, role, shown, staticGraph } from './binding.ts';
import { besides, joinGraphs, prefixed } from './join.ts';
import type { LoadedPipeline } from './load.ts';
import { type BoundText, bindText } from './text.ts';
import { perSampleTimestep } from './timestepInput.ts';

export interface Network {
  readonly graph: Graph;
  readonly batch: number;
  /** [channels, height, width] of what the UNet draws: pixels or latents. */
  readonly shape: readonly [number, number, number];
  readonly sample: string;
  readonly timestep: string;
  readonly timestepType: TimestepType;
  readonly output: string;
  /** Inputs for what frozen text encoders made of the captions; null where they are trained. */
  readonly hidden: string | null;
  /** SDXL's pooled text (null also where the encoders are trained), and its sizes and crops. */
  readonly pooled: string | null;
  readonly timeIds: string | null;
  /** Inputs for the token ids of trained text encoders, in the pipeline's order; empty where they are frozen. */
  readonly ids: readonly Value[];
  /** All that can be adapted. */
  readonly layers: readonly Layer[];
}

export interface NetworkWish {
  readonly batch: number;
  /** [height, width] of what the UNet draws. */
  readonly plane: readonly [number, number];
  readonly trainText: boolean;
}

/** How a file's own names appear in a graph that joins several files: behind the part's name. The UNet's stay as they are. */
export const prefixOf = (part: string): string => (part === 'unet' ? '' : `${part}/`);

/** Text encoder `i` of the pipeline. */
export function bindEncoder({ pipeline, texts }: LoadedPipeline, i: number, batch: number): BoundText {
  const { path, tokenizer, part } = pipeline.texts[i]!;
  const two = pipeline.texts.length > 1;
  return bindText(texts[i]!.model, {
    path,
    batch,
    tokens: tokenizer.length,
    layer: two ? 'penultimate' : 'last',
    pooled: part === 'text_encoder_2',
  });
}

/** Throws GraphError or ModelError where the files do not fit together. */
export function bindNetwork(loaded: LoadedPipeline, { batch, plane, trainText }: NetworkWish): Network {
  const encoders = loaded.texts.map((_, i) => bindEncoder(loaded, i, batch));
  const unet = bindUnet(loaded, encoders, batch, plane);
  const own = findLayers(unet.graph).map((layer) => ({ ...layer, part: 'unet' }));
  if (!trainText) return { ...unet, ids: [], layers: own };
  const parts = loaded.pipeline.texts.map(({ part }) => part);
  const texts = encoders.map(({ graph }, i) => prefixed(graph, prefixOf(parts[i]!)));
  const name = (i: number, value: Value): string => prefixOf(parts[i]!) + value.name;
  let before = texts.reduce(besides);
  let hidden = name(0, encoders[0]!.hidden);
  if (encoders.length > 1) {
    const states = encoders.map((e, i) => name(i, e.hidden));
    before = concatenated(before, states, (hidden = 'text_encoders/hidden_states'));
  }
  const links = new Map([[unet.hidden!, hidden]]);
  const last = encoders.at(-1)!;
  if (unet.pooled !== null) links.set(unet.pooled, name(encoders.length - 1, last.pooled!));
  const graph = prune(joinGraphs(before, unet.graph, links));
  const present = new Set(graph.nodes.map((node) => node.name));
  const textLayers = encoders.flatMap((encoder, i) =>
    findLayers(encoder.graph).map((layer) => behind(layer, parts[i]!)),
  );
  return {
    ...unet,
    graph,
    hidden: null,
    pooled: null,
    ids: encoders.map((encoder, i) => ({ ...encoder.ids, name: name(i, encoder.ids) })),
    // Layers after the states that the UNet reads take no part.
    layers: withEncoders(
      [...textLayers.filter((layer) => layer.nodes.every((node) => present.has(node))), ...own],
      encoders.length,
    ),
  };
}

const behind = (layer: Layer, part: string): Layer => ({
  ...layer,
  part,
  initializer: prefixOf(part) + layer.initializer,
  ...(layer.made && {
    made: { ...layer.made, stored: layer.made.stored.map((name) => prefixOf(part) + name) },
  }),
  nodes: layer.nodes.map((node) => prefixOf(part) + node),
});

/** The graph with the values side by side on their last axis as one more output. */
function concatenated(graph: Graph, names: readonly string[], output: string): Graph {
  const values = names.map((name) => graph.values.get(name)!);
  const axis = values[0]!.shape.length - 1;
  const width = values.reduce((n, v) => n + v.shape[axis]!, 0);
  const value: Value = { ...values[0]!, name: output, shape: [...values[0]!.shape.slice(0, axis), width] };
  return {
    ...graph,
    outputs: [...graph.outputs, value],
    nodes: [
      ...graph.nodes,
      {
        op: 'Concat',
        domain: '',
        name: output,
        inputs: names,
        outputs: [output],
        attributes: { axis: { kind: 'int', value: axis } },
      },
    ],
    values: new Map([...graph.values, [output, value]]),
  };
}

type Unet = Omit<Network, 'ids' | 'layers'>;

function bindUnet(
  { unet, pipeline }: LoadedPipeline,
  encoders: readonly BoundText[],
  batch: number,
  [height, width]: readonly [number, number],
): Unet {
  const { inputs } = unet.model.graph;
  const path = pipeline.unet;
  const sample = needed(path, inputs, 'sample', 'noisy images', (v) => rank(v) === 4);
  const timestep = needed(path, inputs, 'timestep', 'timesteps', (v) => rank(v) >= 0 && rank(v) <= 1);
  const states = needed(path, inputs, 'encoder_hidden_states', 'captions', (v) => rank(v) === 3);
  const pooled = encoders.some((e) => e.pooled) ? role(inputs, 'text_embeds', () => false) : null;
  const times = pooled ? role(inputs, 'time_ids', () => false) : null;
  const others = inputs.filter((v) => ![sample, timestep, states, pooled, times].includes(v));
  if (others.length > 0)
    throw new ModelError(
      `${path} wants more than noisy images, timesteps and captions: ${others.map(shown).join(', ')}. Rotune cannot feed that. Export the UNet without them.`,
    );
  const channels = channelsOf(pipeline, sample.shape?.[1]);
  const [first] = encoders;
  const tokens = first!.hidden.shape[1]!;
  const shapes = {
    sample: [batch, channels, height, width],
    hidden: [batch, tokens, encoders.reduce((n, e) => n + e.hidden.shape[2]!, 0)],
    pooled: [batch, encoders.at(-1)!.pooled?.shape[1] ?? 0],
    times: [batch, 6],
  };
  let graph = staticGraph(unet.model, {
    ...free(sample, shapes.sample),
    ...free(timestep, [batch]),
    ...free(states, shapes.hidden),
    ...(pooled && free(pooled, shapes.pooled)),
    ...(times && free(times, shapes.times)),
  });
  floatInput(path, graph, sample.name, shapes.sample);
  floatInput(path, graph, states.name, shapes.hidden);
  if (pooled) floatInput(path, graph, pooled.name, shapes.pooled);
  if (times) floatInput(path, graph, times.name, shapes.times);
  if (rank(timestep) === 0 && batch > 1) {
    const spread = perSampleTimestep(graph, timestep.name, batch);
    if (!spread)
      throw new GraphError(
        `${path} takes one timestep for a whole batch, but training draws one for each picture. Train with a batch of 1, or export the timestep with a batch axis.`,
      );
    graph = spread;
  }
  const { type } = inputOf(path, graph, timestep.name, rank(timestep) === 0 && batch === 1 ? [] : [batch]);
  if (type !== 'int32' && type !== 'int64' && type !== 'float32')
    throw new ModelError(
      `Input ${timestep.name} of ${path} has type ${type}. Export it as float32 or int64.`,
    );
  const output = graph.outputs.find((o) => o.shape.join() === shapes.sample.join());
  if (!output)
    throw new ModelError(
      `${path} has no output with the shape of its images [${shapes.sample.join()}]: it has ${graph.outputs.map(shown).join(', ')}.`,
    );
  return {
    graph: { ...graph, outputs: [output] },
    batch,
    shape: [channels, height, width],
    sample: sample.name,
    timestep: timestep.name,
    timestepType: type,
    output: output.name,
    hidden: states.name,
    pooled: pooled?.name ?? null,
    timeIds: times?.name ?? null,
  };
}

/** Pixel models draw RGB; latents have as many channels as the file says. */
function channelsOf({ vae, channels, unet }: LoadedPipeline['pipeline'], fixed: unknown): number {
  const found = typeof fixed === 'number' ? fixed : (channels ?? (vae ? 4 : 3));
  if (!vae && found !== 3)
    throw new ModelError(
      `${unet} draws ${found} channels, but there is no VAE that makes pictures of them. Put vae_encoder and vae_decoder beside the UNet.`,
    );
  return found;
}
