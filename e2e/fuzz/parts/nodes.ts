/** @file Models of one node of any operator, with inputs and attributes that fit only by chance. */
import type { Attribute, DType, Model, Node } from '#src/onnx/model.ts';
import { constantOf, sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { resolved } from '#src/ops/checks/support.ts';
import { operators } from '#src/ops/table.ts';
import { graphOf, model, ramp, value } from '#src/ops/testing/models.ts';
import { uniform } from '#src/ops/testing/random.ts';

const types: readonly DType[] = ['float32', 'float32', 'int64', 'bool', 'int32', 'uint8'];
const shapes: readonly (readonly number[])[] = [
  [],
  [0],
  [1],
  [3],
  [2, 3],
  [3, 4],
  [1, 2, 3],
  [1, 2, 4, 4],
  [2, 0, 3],
  [1, 3, 4, 4, 2],
];
const attributeNames =
  'axis axes keepdims kernel_shape strides pads dilations group auto_pad ceil_mode perm to value mode epsilon alpha num_heads kv_num_heads split num_outputs equation blocksize block_size p k largest sorted direction hidden_size transA transB scales size bits K N output_dtype start end batch_dims rotary_embedding_dim num_groups then_branch else_branch allowzero dtype fmod scale'.split(
    ' ',
  );

/** A model of one node of an operator, with inputs and attributes that fit only by chance. */
export function oddNode(key: string, seed: number): Model {
  const random = uniform(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const count = Math.floor(random() * 5);
  const inputs: ReturnType<typeof value>[] = [];
  const initializers: Record<string, Tensor> = {};
  const names = Array.from({ length: count }, (_, i) => {
    if (random() < 0.1) return '';
    const [type, shape] = [pick(types), pick(shapes)];
    if (random() < 0.5) inputs.push(value(`x${i}`, type, shape));
    else
      initializers[`x${i}`] = tensor(
        type,
        shape,
        Array.from(
          { length: sizeOf(shape) },
          () =>
            Math.floor(random() * (type === 'bool' ? 2 : 5)) -
            (type.startsWith('u') || type === 'bool' ? 0 : 1),
        ),
      );
    return `x${i}`;
  });
  const attributes: Record<string, Attribute> = {};
  for (let i = Math.floor(random() * 5); i > 0; i--)
    attributes[pick(attributeNames)] = pick<Attribute>([
      { kind: 'int', value: Math.floor(random() * 6) - 2 },
      { kind: 'float', value: random() },
      { kind: 'string', value: pick(['SAME_UPPER', 'nearest', 'ij,jk->ik', '']) },
      {
        kind: 'ints',
        value: Array.from({ length: Math.floor(random() * 4) }, () => Math.floor(random() * 5) - 2),
      },
      { kind: 'floats', value: [0.5, 2] },
      { kind: 'tensor', value: constantOf(ramp(2)) },
    ]);
  const node: Node = {
    op: key.replace(/^.*::/, ''),
    domain: /^(.*)::/.exec(key)?.[1] ?? '',
    name: random() < 0.3 ? '' : 'odd',
    inputs: names,
    outputs: Array.from({ length: 1 + Math.floor(random() * 2) }, (_, i) => `y${i}`),
    attributes,
  };
  return model(graphOf([node], initializers, inputs, ['y0']), pick([7, 9, 11, 13, 17, 21, 23]));
}

export const oddKeys: readonly string[] = [
  ...Object.keys(operators),
  ...resolved,
  'NoSuchOperator',
  'some.domain::Odd',
];
