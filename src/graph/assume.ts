/** @file Sensible sizes for the dimensions that a model leaves open. */
import type { Model, ModelValue } from '#src/onnx/model.ts';
import { listDims } from './bind.ts';
import { namesIn } from './dims.ts';

/** What is known of the model beyond its graph: its config.json. */
export interface DimHints {
  /** Side of its pictures, or of its latents, in pixels. */
  readonly side?: number | undefined;
  readonly channels?: number | undefined;
  /** Longest sequence that it has positions for. */
  readonly positions?: number | undefined;
  /** Width of an attention head, and heads of keys and values: of the cache's inputs. */
  readonly headSize?: number | undefined;
  readonly cacheHeads?: number | undefined;
}

/** What a dimension counts, as far as its name and place tell. */
export type DimKind =
  'batch' | 'past' | 'heads' | 'width' | 'sequence' | 'samples' | 'frames' | 'channels' | 'side' | 'other';

export interface AssumedDim {
  /** As {@link listDims} gives it: the file's name, or `input.axis`. */
  readonly name: string;
  readonly value: number;
  readonly kind: DimKind;
  /** Where it occurs: inputs by name, with the axis counted from 0. */
  readonly uses: readonly { readonly input: string; readonly axis: number }[];
  /** Why this size, in a few words. */
  readonly why: string;
}

/** Sides that a network may insist on, where the first one does not fit its strides or its head. */
export const otherSides = [64, 32, 224, 256, 512] as const;

const SEQUENCE = 32;
/** One second at 16 kHz. */
const SAMPLES = 16_000;
const FRAMES = 128;
const LATENTS = 64;
const PIXELS = 224;

const byName: readonly (readonly [RegExp, DimKind])[] = [
  [/past|cache/i, 'past'],
  [/batch|^N$|num_(choices|images|beams)/i, 'batch'],
  [/samples|wave/i, 'samples'],
  [/frame/i, 'frames'],
  [/channel/i, 'channels'],
  [/height|width|spatial|^[HW]$/i, 'side'],
  [/seq|len|token|time|tgt|src/i, 'sequence'],
];

const isLatent = (input: string): boolean => /latent|^sample$|noise/i.test(input);

/** Of a cache [batch, heads, past, width]: how many heads, how wide one is. Its names ("kv_cache_dim") would be taken for the past's. */
function cachePlace(input: ModelValue, axis: number, name: string): DimKind | undefined {
  if (input.shape?.length !== 4 || !isCache(input.name) || /seq|len|batch/i.test(name)) return undefined;
  return axis === 1 ? 'heads' : axis === 3 ? 'width' : undefined;
}

/** Whether an input holds the keys or values of what came before. */
export const isCache = (input: string): boolean =>
  /past|cache/i.test(input) && !/position|use_cache/i.test(input);

/** What an axis of an input counts where its name says nothing: dynamo's s0, tf2onnx's unk__12, or no name at all. */
function byPlace({ name, type, shape }: ModelValue, axis: number): DimKind {
  if (isCache(name)) return axis === 0 ? 'batch' : 'past';
  if (axis === 0) return 'batch';
  const rank = shape?.length ?? 0;
  if (!type.includes('float') && type !== 'uint8') return 'sequence';
  if (rank === 4 || rank === 5) {
    const last = shape?.[rank - 1];
    const channelsLast = typeof last === 'number' && last <= 4 && typeof shape?.[1] !== 'number';
    return axis === (channelsLast ? rank - 1 : 1) ? 'channels' : 'side';
  }
  if (rank === 2 && /audio|wave|speech|input_values|signal/i.test(name)) return 'samples';
  if (rank === 3) return axis === 1 ? 'sequence' : /feature|mel|spec/i.test(name) ? 'frames' : 'other';
  return 'other';
}

/** Rows of the model's table of learned positions; undefined where it has none that its name gives away. */
export function positionRows(model: Model): number | undefined {
  let least: number | undefined;
  for (const [name, { shape, type }] of model.graph.initializers)
    if (/(^|[._/])(wpe|pos(ition)?s?_emb(ed(ding)?s?)?|embed_positions)([._/]|$)/i.test(name))
      if (shape.length === 2 && type.includes('float') && shape[0]! > 1)
        least = Math.min(least ?? Infinity, shape[0]!);
  return least;
}

/** Channels that the convolution at an input takes; undefined where none reads it. */
function channelsAt(model: Model, input: string): number | undefined {
  for (const { op, inputs, attributes } of model.graph.nodes) {
    if (op !== 'Conv' || inputs[0] !== input) continue;
    const fan = model.graph.initializers.get(inputs[1] ?? '')?.shape[1];
    const { group } = attributes;
    if (fan !== undefined) return fan * (group?.kind === 'int' ? group.value : 1);
  }
  return undefined;
}

/** Why a size is a mere guess. */
export const unsaid = 'nothing says what it counts';

/** A size with the reason for it. */
function choose(kind: DimKind, input: string, hints: DimHints, reads?: number): readonly [number, string] {
  const { positions = Infinity, side, channels } = hints;
  switch (kind) {
    case 'batch':
      return [1, 'one at a time'];
    case 'past':
      return [0, 'nothing came before'];
    case 'heads':
      return hints.cacheHeads === undefined
        ? [1, unsaid]
        : [hints.cacheHeads, 'heads of keys and values, as its config says'];
    case 'width':
      return hints.headSize === undefined
        ? [1, unsaid]
        : [hints.headSize, 'the width of a head, as its config says'];
    case 'sequence':
      return positions < SEQUENCE
        ? [positions, `all ${positions} positions that it knows`]
        : [SEQUENCE, 'a short text'];
    case 'samples':
      return [SAMPLES, 'one second at 16 kHz'];
    case 'frames':
      return [FRAMES, 'a second or so of sound'];
    case 'channels':
      if (reads !== undefined) return [reads, 'what its first convolution takes'];
      return channels === undefined ? [3, 'red, green and blue'] : [channels, 'as its config.json says'];
    case 'side':
      if (side !== undefined) return [side, 'as its config.json says'];
      return isLatent(input) ? [LATENTS, 'a usual size of latents'] : [PIXELS, 'a usual size of pictures'];
    case 'other':
      return [1, unsaid];
  }
}

/**
 * A size for every name that {@link bindInputs} wants: batch 1, no past, sequences of 32 or as many as the model has positions, pictures of
 * the size that its config says or a usual one. A guess; the user may change each.
 */
export function assumeDims(model: Model, hints: DimHints = {}): AssumedDim[] {
  const rows = positionRows(model);
  const positions = Math.min(hints.positions ?? Infinity, rows ?? Infinity);
  const known = { ...hints, ...(Number.isFinite(positions) && { positions }) };
  return listDims(model).map(({ name }) => {
    const uses = model.graph.inputs.flatMap((input) =>
      (input.shape ?? []).flatMap((dim, axis) =>
        dim === null
          ? `${input.name}.${axis}` === name
            ? [{ input, axis }]
            : []
          : typeof dim === 'string' && namesIn(dim).includes(name)
            ? [{ input, axis }]
            : [],
      ),
    );
    const first = uses[0];
    const own = first?.input.shape?.[first.axis] === null;
    const kind =
      (first && cachePlace(first.input, first.axis, own ? '' : name)) ??
      (own ? undefined : byName.find(([pattern]) => pattern.test(name))?.[1]) ??
      (first ? byPlace(first.input, first.axis) : 'other');
    const input = first?.input.name ?? '';
    const reads = kind === 'channels' ? channelsAt(model, input) : undefined;
    const [value, why] = choose(kind, input, known, reads);
    return { name, value, kind, why, uses: uses.map((use) => ({ input: use.input.name, axis: use.axis })) };
  });
}
