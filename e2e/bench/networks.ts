/** @file Small networks of the shapes that people fine-tune, made here with numbers that only their place decides: for benches, at any batch and size. */
import type { Builder } from '#src/graph/builder.ts';
import { encodeGraph } from '#src/graph/encode.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { constantOf, sizeOf, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { builder } from '#src/ops/table.ts';

/** As a file would bring it: written, read and imported. */
function imported(make: (g: Builder) => Value): Graph {
  const g = builder();
  g.output(make(g), 'y');
  return importGraph(decodeModel(encodeGraph(g.build(), { weightsAsInputs: new Set() })));
}

/** Numbers of about unit variance over the square root of what they are summed over. */
function weight(g: Builder, name: string, shape: readonly number[]): Value {
  const scale = Math.SQRT2 / Math.sqrt(sizeOf(shape.slice(1)));
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(i * 12.9898 + name.length));
  return g.initializer(name, constantOf(tensor('float32', shape, data)));
}

const vector = (g: Builder, name: string, n: number, value: number): Value =>
  g.initializer(name, constantOf(tensor('float32', [n], Array<number>(n).fill(value))));

/** y = xWᵀ + bias, on a matrix by Gemm, else by MatMul and Add, as exporters write it. */
function linear(g: Builder, x: Value, path: string, out: number): Value {
  const fan = x.shape.at(-1)!;
  const bias = vector(g, `${path}.bias`, out, 0.01);
  if (x.shape.length === 2)
    return g.emit('Gemm', [x, weight(g, `${path}.weight`, [out, fan]), bias], { transB: 1 }, { name: path });
  return g.add(g.emit('MatMul', [x, weight(g, `${path}.weight`, [fan, out])], {}, { name: path }), bias);
}

/** Linear layers of these widths with ReLU between them. */
export const mlp = (batch: number, widths: readonly number[] = [256, 1024, 1024, 256]): Graph =>
  imported((g) =>
    widths.slice(1).reduce(
      (x, out, i) => {
        const y = linear(g, x, `layers.${i}`, out);
        return i === widths.length - 2 ? y : g.emit('Relu', [y]);
      },
      g.input('x', 'float32', [batch, widths[0]!]),
    ),
  );

/** 3×3 convolutions of these channels with ReLU between them, on pictures of side² pixels. */
export const convNet = (batch: number, channels: readonly number[] = [3, 32, 64, 64], side = 32): Graph =>
  imported((g) =>
    channels.slice(1).reduce(
      (x, out, i) => {
        const path = `layers.${i}`;
        const inputs = [
          x,
          weight(g, `${path}.weight`, [out, channels[i]!, 3, 3]),
          vector(g, `${path}.bias`, out, 0.01),
        ];
        const y = g.emit('Conv', inputs, { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, { name: path });
        return i === channels.length - 2 ? y : g.emit('Relu', [y]);
      },
      g.input('x', 'float32', [batch, channels[0]!, side, side]),
    ),
  );

export interface Size {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly tokens: number;
}

/** Four layers 192 wide, with three heads. */
export const smallSize: Size = { layers: 4, width: 192, heads: 3, tokens: 64 };

const norm = (g: Builder, x: Value, path: string): Value => {
  const n = x.shape.at(-1)!;
  return g.emit(
    'LayerNormalization',
    [x, vector(g, `${path}.weight`, n, 1), vector(g, `${path}.bias`, n, 0)],
    { axis: -1 },
  );
};

function attention(g: Builder, x: Value, path: string, heads: number, mask: Value | null): Value {
  const [batch, tokens, width] = x.shape as [number, number, number];
  const part = width / heads;
  const [q, k, v] = ['q', 'k', 'v'].map((name) =>
    g.reshape(linear(g, x, `${path}.${name}`, width), [batch, tokens, heads, part]),
  ) as [Value, Value, Value];
  const scores = g.mul(
    g.matMul(g.transpose(q, [0, 2, 1, 3]), g.transpose(k, [0, 2, 3, 1])),
    g.scalar(1 / Math.sqrt(part)),
  );
  const shares = g.emit('Softmax', [mask ? g.add(scores, mask) : scores], { axis: -1 });
  const mixed = g.transpose(g.matMul(shares, g.transpose(v, [0, 2, 1, 3])), [0, 2, 1, 3]);
  return linear(g, g.reshape(mixed, [batch, tokens, width]), `${path}.out`, width);
}

/** A Transformer's layers; normalised in front of each part (ViT, GPT) or behind it (BERT). */
function transformer(
  g: Builder,
  start: Value,
  { layers, width, heads }: Size,
  before: boolean,
  mask: Value | null,
): Value {
  let x = start;
  const part = (path: string, make: (x: Value) => Value): Value =>
    before ? g.add(x, make(norm(g, x, path))) : norm(g, g.add(x, make(x)), path);
  for (let i = 0; i < layers; i++) {
    const path = `layers.${i}`;
    x = part(`${path}.norm1`, (h) => attention(g, h, `${path}.attention`, heads, mask));
    x = part(`${path}.norm2`, (h) =>
      linear(g, g.emit('Gelu', [linear(g, h, `${path}.up`, 4 * width)]), `${path}.down`, width),
    );
  }
  return before ? norm(g, x, 'norm') : x;
}

const positions = (g: Builder, { tokens, width }: Size): Value => weight(g, 'positions', [1, tokens, width]);

const words = (g: Builder, batch: number, size: Size, vocabulary: number): Value =>
  g.add(
    g.emit('Gather', [
      weight(g, 'words', [vocabulary, size.width]),
      g.input('ids', 'int64', [batch, size.tokens]),
    ]),
    positions(g, size),
  );

/** The first token's numbers, [batch, width]. */
const first = (g: Builder, x: Value): Value =>
  g.reshape(g.slice(x, [0], [1], [1]), [x.shape[0]!, x.shape[2]!]);

/** Pictures in square patches of 4 pixels, as many as there are tokens; ten classes by their mean. */
export const vit = (batch: number, size: Size = smallSize): Graph =>
  imported((g) => {
    const side = 4 * Math.sqrt(size.tokens);
    const pixels = g.input('pixels', 'float32', [batch, 3, side, side]);
    const patches = g.emit(
      'Conv',
      [pixels, weight(g, 'patches.weight', [size.width, 3, 4, 4]), vector(g, 'patches.bias', size.width, 0)],
      { kernel_shape: [4, 4], strides: [4, 4] },
      { name: 'patches' },
    );
    const rows = g.transpose(g.reshape(patches, [batch, size.width, size.tokens]), [0, 2, 1]);
    const x = transformer(g, g.add(rows, positions(g, size)), size, true, null);
    return linear(g, g.reduceMean(x, [1]), 'head', 10);
  });

/** Ten classes of texts, by the first token. */
export const bert = (batch: number, size: Size = smallSize): Graph =>
  imported((g) => {
    const start = norm(g, words(g, batch, size, 1000), 'embedded');
    return linear(g, first(g, transformer(g, start, size, false, null)), 'head', 10);
  });

/** The next of 1,000 words, at every token. */
export const gpt = (batch: number, size: Size = smallSize): Graph =>
  imported((g) => {
    const { tokens } = size;
    const later = Array.from({ length: tokens ** 2 }, (_, i) =>
      i % tokens > Math.floor(i / tokens) ? -1e4 : 0,
    );
    const mask = g.initializer('mask', constantOf(tensor('float32', [1, 1, tokens, tokens], later)));
    return linear(g, transformer(g, words(g, batch, size, 1000), size, true, mask), 'head', 1000);
  });
