/** @file The numbers that ONNX Runtime's MatMulNBits multiplies by: a weight in blocks of few bits, along its inputs. */
import { intAttr } from '#src/graph/attributes.ts';
import { ModelError, type Node } from '#src/onnx/model.ts';
import { numbersOf, sizeOf, tensorOf } from '#src/onnx/tensor.ts';
import { constantValues, type ModelScope, type Values } from './onnxValues.ts';

/** Numbers of 4 or 8 bits out of rows of bytes, the low ones first. */
function numbers(bytes: ArrayLike<number>, bits: number, rows: number, columns: number): Float64Array {
  const width = Math.ceil((columns * bits) / 8);
  const mask = 2 ** bits - 1;
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const at = column * bits;
    return (bytes[row * width + (at >> 3)]! >> (at & 7)) & mask;
  });
}

/**
 * (B − zero point)·scale as [N, K].
 * @throws ModelError where its parts do not fit one another, or its columns are in another order
 */
export function unpacked(scope: ModelScope, node: Node): Values {
  const [k, n] = [intAttr(node, 'K', 0), intAttr(node, 'N', 0)];
  const size = intAttr(node, 'block_size', 0);
  const bits = intAttr(node, 'bits', 4);
  const [, packed = '', scaleName = '', zeroName = '', order = ''] = node.inputs;
  const refuse = (what: string): never => {
    throw new ModelError(
      `MatMulNBits ${node.name || node.outputs[0]!}: ${what}. Save the adapter's own file.`,
    );
  };
  if ((bits !== 4 && bits !== 8) || size <= 0)
    refuse(`weights of ${bits} bits in blocks of ${size} cannot be read`);
  const stored = (name: string): ArrayLike<number> => {
    const constant = scope.constant(name) ?? refuse(`its input ${name} is not stored in the file`);
    return constant.type === 'uint8'
      ? (tensorOf(constant).data as Uint8Array)
      : numbersOf(tensorOf(constant));
  };
  const blocks = Math.ceil(k / size);
  if (order !== '' && Array.from(stored(order)).some((block, i) => i < k && block !== Math.floor(i / size)))
    refuse('its columns are in another order (g_idx)');
  const bytes = stored(packed);
  const scales = constantValues(scope, scaleName);
  if (bytes.length !== (n * blocks * size * bits) / 8 || scales.data.length !== n * blocks)
    refuse(`its weight or scales do not fit K = ${k}, N = ${n} in blocks of ${size}`);
  const zeros = zeroPoints();
  const q = numbers(bytes, bits, n, blocks * size);
  const data = new Float64Array(n * k);
  for (let row = 0; row < n; row++)
    for (let column = 0; column < k; column++) {
      const block = row * blocks + Math.floor(column / size);
      data[row * k + column] = (q[row * blocks * size + column]! - zeros[block]!) * scales.data[block]!;
    }
  return { type: scales.type, shape: [n, k], data };

  /** One for each block; without any the middle of the range. */
  function zeroPoints(): ArrayLike<number> {
    if (zeroName === '') return new Float64Array(n * blocks).fill(2 ** (bits - 1));
    const constant = scope.constant(zeroName);
    const values = stored(zeroName);
    const whole = constant?.type === 'uint8';
    if (values.length !== (whole ? n * Math.ceil((blocks * bits) / 8) : sizeOf([n, blocks])))
      refuse(`its zero points do not fit N = ${n} rows of ${blocks} blocks`);
    return whole ? numbers(values, bits, n, blocks) : values;
  }
}
