/** @file Scaled dot-product attention in elementary operators: what every attention operator is written out in. */
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { contradicts, fail } from '../entries/arguments.ts';
import { scalarLike } from '../entries/common.ts';

export interface AttentionParts {
  /** [batch, heads, S, size] */
  readonly q: Value;
  /** [batch, key heads, T, size]; query head i reads key head ⌊i · key heads / heads⌋. */
  readonly k: Value;
  /** [batch, key heads, T, value size] */
  readonly v: Value;
  /** Factor of the scores. */
  readonly scale: number;
  /** c > 0: scores become c·tanh(score / c), before the bias. */
  readonly softcap?: number;
  /** Added to the scores; broadcasts to [batch, heads, S, T]. */
  readonly bias?: Value | null;
  /** One more logit per row, of which no value is read; broadcasts to [batch, heads, S, 1]. */
  readonly sink?: Value | null;
  /** Element type in which the softmax is computed; default the scores'. */
  readonly precision?: DType;
}

export interface AttentionResult {
  /** [batch, heads, S, value size] */
  readonly y: Value;
  /** Scores [batch, heads, S, T] at each stage. */
  readonly raw: Value;
  readonly capped: Value;
  readonly biased: Value;
  readonly probabilities: Value;
}

/**
 * softmax(cap(scale·q·kᵀ) + bias)·v. Query heads that share a key head are stacked along the sequence, so that keys and values need no
 * copies: their gradients are summed by the product.
 */
export function attend(g: Builder, node: Node, parts: AttentionParts): AttentionResult {
  const { q, k, v, bias, sink } = parts;
  const [batch, heads, rows, size] = q.shape as [number, number, number, number];
  const [, keyHeads, columns] = k.shape as [number, number, number];
  if (heads % keyHeads !== 0)
    fail(
      node,
      `${heads} query heads cannot share ${keyHeads} key heads evenly. The file is damaged; export the model again.`,
    );
  const stacked = (x: Value, width: number): Value =>
    g.reshape(x, [batch, keyHeads, (heads / keyHeads) * rows, width]);
  const unstacked = (x: Value, width: number): Value => g.reshape(x, [batch, heads, rows, width]);
  const scaled = parts.scale === 1 ? q : g.mul(q, scalarLike(g, parts.scale, q));
  const raw = unstacked(g.matMul(stacked(scaled, size), g.mT(k)), columns);
  const cap = parts.softcap ?? 0;
  const capped = cap > 0 ? softcapped(g, raw, cap) : raw;
  const biased = bias ? g.add(capped, bias) : capped;
  const precise = parts.precision ? g.cast(biased, parts.precision) : biased;
  const probabilities = g.cast(sink ? withSink(g, precise, sink) : softmax(g, precise), q.type);
  const y = unstacked(g.matMul(stacked(probabilities, columns), v), v.shape[3]!);
  return { y, raw, capped, biased, probabilities };
}

const softmax = (g: Builder, x: Value): Value => g.emit('Softmax', [x], { axis: -1 });

function softcapped(g: Builder, x: Value, cap: number): Value {
  const c = scalarLike(g, cap, x);
  return g.mul(g.emit('Tanh', [g.div(x, c)]), c);
}

/** Softmax over the row and the sink's logit, without the sink's share. */
function withSink(g: Builder, x: Value, sink: Value): Value {
  const columns = x.shape.at(-1)!;
  const logit = g.expand(g.cast(sink, x.type), [...x.shape.slice(0, -1), 1]);
  const all = softmax(g, g.concat([x, logit], x.shape.length - 1));
  return g.slice(all, [0], [columns], [x.shape.length - 1]);
}

/** [batch, S, heads·size] → [batch, heads, S, size]. */
export function splitHeads(g: Builder, node: Node, x: Value, heads: number): Value {
  const [batch, rows, width] = x.shape as [number, number, number];
  if (x.shape.length !== 3 || heads < 1 || width % heads !== 0)
    contradicts(
      node,
      `a tensor of shape [${x.shape.join()}] cannot be cut into ${heads} heads. The file is damaged, or its number of heads is wrong.`,
    );
  return g.transpose(g.reshape(x, [batch, rows, heads, width / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, S, size] → [batch, S, heads·size]. */
export function mergeHeads(g: Builder, x: Value): Value {
  const [batch, heads, rows, size] = x.shape as [number, number, number, number];
  return g.reshape(g.transpose(x, [0, 2, 1, 3]), [batch, rows, heads * size]);
}

/** Cached keys or values before the new ones, along the sequence. */
export const afterPast = (g: Builder, past: Value | null | undefined, x: Value): Value =>
  past && past.shape[2] !== 0 ? g.concat([past, x], 2) : x;

/** The number that stands for −∞ in a mask: finite, so that no row becomes NaN. */
export const lowest = (type: DType): number =>
  type === 'float16' ? -65504 : type === 'bfloat16' ? -3.3895313892515355e38 : -3.4028234663852886e38;

/** Which keys each query may see, by position: key j and query i with −left ≤ j − (i + offset) ≤ right; undefined: unbounded. */
export interface Band {
  readonly rows: number;
  readonly columns: number;
  /** Position of the first query among the keys. */
  readonly offset: number;
  readonly left?: number | undefined;
  readonly right?: number | undefined;
}

const bands = new WeakMap<Builder, Map<string, Value>>();

/** The band as a boolean [S, T], one per graph; null where every query sees every key. */
export function bandMask(g: Builder, band: Band): Value | null {
  const { rows, columns, offset, left, right } = band;
  const seesLast = right === undefined || columns - 1 - offset <= right;
  const seesFirst = left === undefined || rows - 1 + offset <= left;
  if (seesLast && seesFirst) return null;
  const known = bands.get(g) ?? new Map<string, Value>();
  bands.set(g, known);
  const key = [rows, columns, offset, left, right].join();
  const found = known.get(key);
  if (found) return found;
  const positions = Array.from({ length: rows }, (_, i) => i + offset);
  const mask = bandAround(g, g.constant(tensor('int32', [rows, 1], positions), 'positions'), columns, band)!;
  known.set(key, mask);
  return mask;
}

/** The band around given positions (int32, a column per query): boolean, broadcast over the keys. */
export function bandAround(
  g: Builder,
  positions: Value,
  columns: number,
  { left, right }: Pick<Band, 'left' | 'right'>,
): Value | null {
  const keys = keyPositions(g, columns);
  const shifted = (by: number): Value => (by === 0 ? positions : g.add(positions, g.scalar(by, 'int32')));
  return bothOf(
    g,
    right === undefined ? null : g.emit('LessOrEqual', [keys, shifted(right)]),
    left === undefined ? null : g.emit('GreaterOrEqual', [keys, shifted(-left)]),
  );
}

/** 0 … T − 1 as int32: WebGPU compares no 64-bit integers. */
export const keyPositions = (g: Builder, columns: number): Value =>
  g.constant(
    tensor(
      'int32',
      [columns],
      Array.from({ length: columns }, (_, i) => i),
    ),
    'positions',
  );

export const bothOf = (g: Builder, a: Value | null, b: Value | null): Value | null =>
  a && b ? g.emit('And', [a, b]) : (a ?? b);

/** 0 where allowed, `fill` elsewhere. */
export const maskBias = (g: Builder, allowed: Value, type: DType, fill = lowest(type)): Value =>
  g.where(allowed, scalarLike(g, 0, { type }), scalarLike(g, fill, { type }));

export const sumOf = (g: Builder, a: Value | null, b: Value | null): Value | null =>
  a && b ? g.add(a, b) : (a ?? b);
