/** @file Writing by index: ScatterND and ScatterElements, in all their reductions. */
import { intAttr, stringAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, type Tensor } from '#src/onnx/tensor.ts';
import { contradicts, fail, inRange, zeros } from '../entries/arguments.ts';
import { axisIndex, commonType, requiredInput, scalarLike } from '../entries/common.ts';
import { stridesOf } from '../movement/strided.ts';
import type { GradContext, GradRule, Operator, ShapeContext } from '../types.ts';

const reductions = ['none', 'add', 'mul', 'max', 'min'];

function reductionOf(node: Node): string {
  const how = stringAttr(node, 'reduction', 'none');
  return reductions.includes(how) ? how : contradicts(node, `reduction "${how}" is not known.`);
}

/** A scatter with the indices of the node that is differentiated, and the reading at the same places. */
interface Places {
  readonly scatter: (data: Value, updates: Value, reduction?: string) => Value;
  readonly gather: (from: Value) => Value;
}

type PlacesOf = (ctx: Pick<GradContext, 'g' | 'node' | 'inputs'>) => Places;

/** y = max(x, u …): who attains the extremum shares the cotangent equally, like torch's scatter_reduce. */
function extremumGrad({ g, inputs, outputs, grads }: GradContext, at: Places): [Value, Value] {
  const [x, , u] = inputs as [Value, Value, Value];
  const y = outputs[0]!;
  const hitsX = g.cast(g.emit('Equal', [x, y]), x.type);
  const hitsU = g.cast(g.emit('Equal', [u, at.gather(y)]), x.type);
  const share = g.div(grads[0]!, at.scatter(hitsX, hitsU, 'add'));
  return [g.mul(hitsX, share), g.mul(hitsU, at.gather(share))];
}

/** y = x·Π u: the slope by a factor is the product of the others, right with zeros too (see ReduceProd). */
function productGrad({ g, inputs, grads }: GradContext, at: Places): [Value, Value] {
  const [x, , u] = inputs as [Value, Value, Value];
  const k = (v: number): Value => scalarLike(g, v, x);
  const parts = [x, u].map((v) => {
    const zero = g.emit('Equal', [v, k(0)]);
    return { filled: g.where(zero, k(1), v), zero: g.cast(zero, v.type) };
  }) as [{ filled: Value; zero: Value }, { filled: Value; zero: Value }];
  const product = at.scatter(parts[0].filled, parts[1].filled, 'mul');
  const count = at.scatter(parts[0].zero, parts[1].zero, 'add');
  const [dx, du] = parts.map(({ filled, zero }, i) => {
    const [p, n, dy] = [product, count, grads[0]!].map((v) => (i === 0 ? v : at.gather(v))) as [
      Value,
      Value,
      Value,
    ];
    const others = g.emit('Equal', [g.sub(n, zero), k(0)]);
    return g.mul(dy, g.where(others, g.div(p, filled), k(0)));
  }) as [Value, Value];
  return [dx, du];
}

/** Elements that were set pass nothing on to x; updates get the cotangent of their places. */
const scatterGrad =
  (places: PlacesOf): GradRule =>
  (ctx) => {
    const { g, node, inputs, wants } = ctx;
    const at = places(ctx);
    const dy = ctx.grads[0]!;
    const how = reductionOf(node);
    if (how === 'mul' || how === 'max' || how === 'min') {
      const [dx, du] = (how === 'mul' ? productGrad : extremumGrad)(ctx, at);
      return [dx, null, du];
    }
    const dx = (): Value => (how === 'add' ? dy : at.scatter(dy, zeros(g, inputs[2]!)));
    return [wants[0] ? dx() : null, null, wants[2] ? at.gather(dy) : null];
  };

const shapeOfData = (ctx: ShapeContext): readonly [Value] => {
  const x = requiredInput(ctx, 0);
  commonType(ctx.node, [x, requiredInput(ctx, 2)]);
  reductionOf(ctx.node);
  return [x];
};

/** Combines each update with what its place holds. */
function combine(node: Node, x: Tensor, updates: Tensor, place: (i: number) => number): Tensor[] | undefined {
  if (['string', 'int4', 'uint4', 'float16', 'bfloat16'].includes(x.type)) return undefined;
  const how = reductionOf(node);
  const data = x.data.slice();
  const of = (a: number, b: number): number => {
    if (how === 'add') return a + b;
    if (how === 'mul') return a * b;
    return how === 'max' ? Math.max(a, b) : Math.min(a, b);
  };
  for (let i = 0; i < updates.data.length; i++) {
    const to = place(i);
    if (how === 'none') {
      data[to] = updates.data[i]!;
      continue;
    }
    const result = of(Number(data[to]), Number(updates.data[i]));
    data[to] = data instanceof BigInt64Array || data instanceof BigUint64Array ? BigInt(result) : result;
  }
  return [{ ...x, data }];
}

const emitScatter =
  (g: Builder, op: string, indices: Value, more: Readonly<Record<string, number>> = {}) =>
  (data: Value, updates: Value, reduction?: string): Value =>
    g.emit(op, [data, indices, updates], { ...more, ...(reduction && { reduction }) });

export const ScatterND: Operator = {
  shape: (ctx) => {
    const [x] = shapeOfData(ctx);
    const at = requiredInput(ctx, 1).shape;
    const updates = requiredInput(ctx, 2).shape;
    const expected = [...at.slice(0, -1), ...x.shape.slice(at.at(-1))];
    if (updates.join() !== expected.join())
      contradicts(
        ctx.node,
        `updates of shape [${updates.join()}] should have the shape [${expected.join()}].`,
      );
    return [x];
  },
  grad: scatterGrad(({ g, inputs }) => ({
    scatter: emitScatter(g, 'ScatterND', inputs[1]!),
    gather: (from) => g.emit('GatherND', [from, inputs[1]!]),
  })),
  fold: (node, [x, indices, updates]) => {
    if (!x || !indices || !updates) return undefined;
    const depth = indices.shape.at(-1)!;
    const width = sizeOf(x.shape.slice(depth));
    const strides = stridesOf(x.shape);
    const at = numbersOf(indices);
    const start = (row: number): number =>
      strides
        .slice(0, depth)
        .reduce((n, s, k) => n + s * inRange(node, at[row * depth + k]!, x.shape[k]!), 0);
    return combine(node, x, updates, (i) => start(Math.floor(i / width)) + (i % width));
  },
};

const axisOf = (node: Node, rank: number): number => axisIndex(node, intAttr(node, 'axis', 0), rank);

export const ScatterElements: Operator = {
  shape: (ctx) => {
    const [x] = shapeOfData(ctx);
    const at = requiredInput(ctx, 1).shape;
    const updates = requiredInput(ctx, 2).shape;
    axisOf(ctx.node, x.shape.length);
    if (updates.join() !== at.join() || at.length !== x.shape.length)
      contradicts(
        ctx.node,
        `indices [${at.join()}] and updates [${updates.join()}] do not fit data of shape [${x.shape.join()}].`,
      );
    return [x];
  },
  grad: scatterGrad(({ g, node, inputs }) => {
    const axis = axisOf(node, inputs[0]!.shape.length);
    return {
      scatter: emitScatter(g, 'ScatterElements', inputs[1]!, { axis }),
      gather: (from) => g.emit('GatherElements', [from, inputs[1]!], { axis }),
    };
  }),
  fold: (node, [x, indices, updates]) => {
    if (!x || !indices || !updates) return undefined;
    const axis = axisOf(node, x.shape.length);
    const at = numbersOf(indices);
    const [own, outer] = [stridesOf(indices.shape), stridesOf(x.shape)];
    return combine(node, x, updates, (i) =>
      outer.reduce((n, s, k) => {
        const place = Math.floor(i / own[k]!) % indices.shape[k]!;
        return n + s * (k === axis ? inRange(node, at[i]!, x.shape[k]!) : place);
      }, 0),
    );
  },
};

/** Withdrawn in opset 11; becomes a ScatterElements. */
export const Scatter: Operator = {
  shape: ({ node }) => fail(node, 'Scatter ended with opset 10; export the model with ScatterElements.'),
  convert: (node) => ({ ...node, op: 'ScatterElements' }),
};
