/** @file The softmax of attention whose rows may be masked whole, as exporters guard it: NaN is found afterwards and made 0. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { lowest } from '../attention/core.ts';
import { axisIndex, isFilledWith, scalarLike } from '../entries/common.ts';

/** The nodes made so far that give a value, as far as they may be parts of the pattern. */
export type Makers = ReadonlyMap<string, Node>;

/** Whether a node must be remembered for {@link unguarded}. */
export const isPart = (node: Node): boolean =>
  node.domain === '' && (node.op === 'Softmax' || node.op === 'IsNaN');

/**
 * Where(IsNaN(s), 0, s) of s = Softmax(x) as a softmax that never is NaN: rows of −∞ alone are taken as finite ones, and their result as 0. The
 * pattern as it stands has a right output, but a gradient of 0·NaN; and IsNaN has no kernel on WebGPU. undefined: the node is none.
 */
export function unguarded(b: Builder, node: Node, makers: Makers): Value | undefined {
  if (node.op !== 'Where' || node.domain !== '') return undefined;
  const [condition, zero, guarded] = node.inputs as [string, string, string];
  const test = makers.get(condition);
  const softmax = makers.get(guarded);
  if (test?.op !== 'IsNaN' || softmax?.op !== 'Softmax' || test.inputs[0] !== guarded) return undefined;
  if (!isFilledWith(b, b.value(zero), 0) || b.value(zero).shape.length > b.value(guarded).shape.length)
    return undefined;
  const x = b.value(softmax.inputs[0]!);
  if (x.shape.length === 0) return undefined;
  const axis = axisIndex(softmax, intAttr(softmax, 'axis', -1), x.shape.length);
  const floor = scalarLike(b, lowest(x.type), x);
  const best = b.emit('ReduceMax', [x, b.ints([axis])], { keepdims: 1 });
  // Not Max, which would share the cotangent of what is as low as the floor with it.
  const finite = b.where(b.emit('GreaterOrEqual', [x, floor]), x, floor);
  const y = b.emit('Softmax', [finite], { axis }, { name: b.fresh(softmax.name) });
  return b.where(b.emit('GreaterOrEqual', [best, floor]), y, scalarLike(b, 0, x));
}
