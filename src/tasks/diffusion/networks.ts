/** @file Bound networks of a pipeline, and what they are told of captions. Binding takes a moment, so the last few are kept. */
import type { TaskHost, Tensors } from '../types.ts';
import { CaptionEmbeddings, type Conditions, CaptionTokens, tokens } from './conditions.ts';
import type { LoadedPipeline } from './load.ts';
import { bindEncoder, bindNetwork, type Network, type NetworkWish } from './network.ts';
import { joinedColumns } from './rows.ts';
import type { BoundText } from './text.ts';

/** Captions go through frozen text encoders so many at a time. */
export const ENCODER_BATCH = 8;
/** Bound graphs that are kept. */
const KEPT = 6;

const networks = new WeakMap<object, Map<string, Network>>();
const encoders = new WeakMap<object, BoundText[]>();

export function networkOf(loaded: LoadedPipeline, wish: NetworkWish): Network {
  const known = networks.get(loaded.unet) ?? new Map<string, Network>();
  networks.set(loaded.unet, known);
  const key = JSON.stringify([wish.batch, wish.plane, wish.trainText]);
  const network = known.get(key) ?? bindNetwork(loaded, wish);
  // The one used last stands last.
  known.delete(key);
  known.set(key, network);
  if (known.size > KEPT) known.delete([...known.keys()][0]!);
  return network;
}

function encodersOf(loaded: LoadedPipeline): readonly BoundText[] {
  const known =
    encoders.get(loaded.texts[0]!) ?? loaded.texts.map((_, i) => bindEncoder(loaded, i, ENCODER_BATCH));
  encoders.set(loaded.texts[0]!, known);
  return known;
}

/** Conditions for networks with these inputs; equal for all batches and sizes. */
export function conditionsOf(loaded: LoadedPipeline, network: Network, host: TaskHost): Conditions {
  const { texts, zeroNegative } = loaded.pipeline;
  const tokenizers = texts.map(({ tokenizer }) => tokenizer);
  if (network.ids.length > 0) return new CaptionTokens(network.ids, tokenizers);
  const encode = (ids: readonly Int32Array[], batch: number) => embedded(loaded, network, host, ids, batch);
  return new CaptionEmbeddings(tokenizers, encode, {
    batch: ENCODER_BATCH,
    zeroNegative,
  });
}

/** Token ids through all text encoders: hidden states side by side, and the last one's pooled text. */
async function embedded(
  loaded: LoadedPipeline,
  network: Network,
  host: TaskHost,
  ids: readonly Int32Array[],
  batch: number,
): Promise<Tensors> {
  const states: Float32Array[] = [];
  let pooled: Float32Array | undefined;
  const bound = encodersOf(loaded);
  for (const [i, encoder] of bound.entries()) {
    const key = `${loaded.texts[i]!.hash}:${batch}`;
    const run = host.frozen(loaded.pipeline.texts[i]!.part, key, () => encoder.graph, 'captions');
    const out = await run({
      [encoder.ids.name]: tokens(ids[i]!, encoder.ids.type),
    });
    states.push(out[encoder.hidden.name] as Float32Array);
    if (encoder.pooled) pooled = out[encoder.pooled.name] as Float32Array;
  }
  const rows = batch * bound[0]!.hidden.shape[1]!;
  return {
    [network.hidden!]: joinedColumns(states, rows),
    ...(network.pooled !== null && pooled && { [network.pooled]: pooled }),
  };
}
