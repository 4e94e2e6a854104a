/** @file Rotary position embedding: opset 23's, ONNX Runtime's, and the one inside its attention operators. */
import type { Builder } from '#src/graph/builder.ts';
import { floatAttr, intAttr } from '#src/graph/attributes.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { contradicts, fail } from '../entries/arguments.ts';
import { mergeHeads, splitHeads } from './core.ts';
import { scalarLike } from '../entries/common.ts';
import { expanded, needed } from '../entries/expansion.ts';
import type { Operator } from '../types.ts';

export interface Rotation {
  /** Cosines and sines by position: [batch or 1, S, turned / 2]. */
  readonly cos: Value;
  readonly sin: Value;
  /** Pairs are neighbours (2i, 2i + 1), not halves (i, i + turned / 2). */
  readonly interleaved: boolean;
}

/**
 * Turns pairs of numbers by their position's angle: (a, b) → (a cos − b sin, b cos + a sin). Numbers beyond the turned ones pass.
 * @param x [batch, heads, S, size]
 */
export function rotate(g: Builder, node: Node, x: Value, { cos, sin, interleaved }: Rotation): Value {
  const size = x.shape[3]!;
  const half = cos.shape.at(-1)!;
  if (2 * half > size || cos.shape.join() !== sin.shape.join())
    fail(
      node,
      `tables of cosines [${cos.shape.join()}] and sines [${sin.shape.join()}] do not fit heads of ${size} numbers. The file is damaged; export the model again.`,
    );
  const perHead = (table: Value): Value => g.reshape(table, [table.shape[0]!, 1, table.shape[1]!, half]);
  const [c, s] = [perHead(cos), perHead(sin)];
  const rest = size - 2 * half;
  const [turned, passed] = rest > 0 ? g.split(x, 3, [2 * half, rest]) : [x];
  const pair = (a: Value, b: Value): [Value, Value] => [
    g.sub(g.mul(a, c), g.mul(b, s)),
    g.add(g.mul(b, c), g.mul(a, s)),
  ];
  let y: Value;
  if (interleaved) {
    const shape = turned!.shape;
    const parts = g.split(g.reshape(turned!, [...shape.slice(0, 3), half, 2]), 4, [1, 1]);
    const flat = parts.map((p) => g.reshape(p, [...shape.slice(0, 3), half]));
    const both = pair(flat[0]!, flat[1]!).map((p) => g.reshape(p, [...shape.slice(0, 3), half, 1]));
    y = g.reshape(g.concat(both, 4), shape);
  } else {
    const [a, b] = g.split(turned!, 3, [half, half]);
    y = g.concat(pair(a!, b!), 3);
  }
  return passed ? g.concat([y, passed], 3) : y;
}

/** Rows of a table [positions, n] by position ids [batch, S]. */
export const rowsAt = (g: Builder, table: Value, positions: Value): Value =>
  g.emit('Gather', [table, positions], { axis: 0 });

/** The first S rows of a table as [1, S, n]. */
export function firstRows(g: Builder, node: Node, table: Value, rows: number): Value {
  const [known, width] = table.shape as [number, number];
  if (known < rows)
    fail(
      node,
      `its tables of angles end at position ${known}, but the sequence has ${rows}. Bind a shorter one.`,
    );
  const cut = known === rows ? table : g.slice(table, [0], [rows], [0]);
  return g.reshape(cut, [1, rows, width]);
}

/** x in heads, turned, in its own layout again: [batch, S, heads·size] or [batch, heads, S, size]. */
function turnedLike(
  g: Builder,
  node: Node,
  x: Value,
  turned: number,
  tables: (rows: number) => Rotation,
): Value {
  if (x.shape.length === 4) return rotate(g, node, x, narrowed(node, tables(x.shape[2]!), turned));
  if (x.shape.length !== 3) contradicts(node, `its input must have 3 or 4 axes, not ${x.shape.length}.`);
  const rotation = narrowed(node, tables(x.shape[1]!), turned);
  // ONNX Runtime's own operator takes the size of a head from the tables where the number of heads is not given.
  const heads = intAttr(node, 'num_heads', 0) || x.shape[2]! / (2 * rotation.cos.shape.at(-1)!);
  return mergeHeads(g, rotate(g, node, splitHeads(g, node, x, heads), rotation));
}

function narrowed(node: Node, rotation: Rotation, turned: number): Rotation {
  const width = rotation.cos.shape.at(-1)!;
  return turned === 0 || width * 2 === turned
    ? rotation
    : contradicts(
        node,
        `rotary_embedding_dim is ${turned}, but its tables hold ${width} angles, not ${turned / 2}.`,
      );
}

const settings = (node: Node): { turned: number; interleaved: boolean } => ({
  turned: intAttr(node, 'rotary_embedding_dim', 0),
  interleaved: intAttr(node, 'interleaved', 0) !== 0,
});

/** Opset 23: tables of [positions, n] with position ids, or of [batch, S, n] without. */
export const RotaryEmbedding: Operator = expanded((g, node, inputs) => {
  const x = needed(node, inputs, 0, 'input');
  const positions = inputs[3];
  const { turned, interleaved } = settings(node);
  const [cos, sin] = [1, 2].map((i) => {
    const table = needed(node, inputs, i, 'table of angles');
    return positions ? rowsAt(g, table, positions) : table;
  }) as [Value, Value];
  return [turnedLike(g, node, x, turned, () => ({ cos, sin, interleaved }))];
});

/** com.microsoft: position ids of [batch, S], or one number to start counting from. */
export const contribRotaryEmbedding: Operator = expanded((g, node, inputs) => {
  const x = needed(node, inputs, 0, 'input');
  const positions = needed(node, inputs, 1, 'position ids');
  if (intAttr(node, 'is_packed_batching', 0) !== 0)
    fail(node, 'sequences packed into one are not supported. Export the model with padded batches.');
  const { turned, interleaved } = settings(node);
  const tables = (rows: number): Rotation => {
    const ids =
      positions.shape.length === 2
        ? positions
        : g.reshape(
            g.add(
              positions,
              g.constant(
                tensor(
                  positions.type,
                  [rows],
                  Array.from({ length: rows }, (_, i) => i),
                ),
              ),
            ),
            [1, rows],
          );
    const [cos, sin] = [2, 3].map((i) => rowsAt(g, needed(node, inputs, i, 'table of angles'), ids)) as [
      Value,
      Value,
    ];
    return { cos, sin, interleaved };
  };
  const y = turnedLike(g, node, x, turned, tables);
  const scale = floatAttr(node, 'scale', 1);
  return [scale === 1 ? y : g.mul(y, scalarLike(g, scale, y))];
});
