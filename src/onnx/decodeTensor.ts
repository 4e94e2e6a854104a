/** @file TensorProto → Constant: inline bytes are views of the file, typed fields become little-endian bytes, external data a byte range. */
import type { TensorProto } from 'onnx-buf';
import { TensorProto_DataLocation } from 'onnx-buf';
import { type Constant, DamagedModel, type DType, ModelError, type TensorBytes } from './model.ts';
import { codeName, typeOfCode } from './protobuf.ts';
import { byteLength, type TypedArray } from './tensor.ts';

/** @param where names the tensor in messages, e.g. `Weight fc1.weight`. */
export function decodeTensor(proto: TensorProto, where: string): Constant {
  const type = typeOfCode(proto.dataType);
  if (type === undefined)
    throw new ModelError(
      `${where} has element type ${codeName(proto.dataType)}, which is not supported. Export the model in float32 or float16.`,
    );
  if (type === 'string')
    throw new ModelError(
      `${where} holds strings; only numeric tensors can be used. Export the model without text inside.`,
    );
  if (proto.segment)
    throw new ModelError(
      `${where} is split into segments, which is not supported. Save the model again with the onnx package.`,
    );
  const shape = proto.dims.map(Number);
  if (shape.some((d) => d < 0))
    throw new DamagedModel(`${where} has a negative dimension in its shape [${shape.join(', ')}].`);
  if (!Number.isSafeInteger(shape.reduce((n, d) => n * d, 8)))
    throw new DamagedModel(`${where} has the impossible shape [${shape.join(', ')}].`);
  const needed = byteLength(type, shape);
  return { type, shape, data: decodeData(proto, type, shape, needed, where) };
}

function decodeData(
  proto: TensorProto,
  type: DType,
  shape: readonly number[],
  needed: number,
  where: string,
): TensorBytes {
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) return decodeExternal(proto, needed, where);
  const bytes = proto.rawData.length > 0 ? proto.rawData : typedBytes(proto, type);
  if (bytes.length !== needed)
    throw new DamagedModel(
      `${where} holds ${bytes.length} bytes of values, but its shape [${shape.join(', ')}] of ${type} needs ${needed}.`,
    );
  return { kind: 'inline', bytes };
}

function decodeExternal(proto: TensorProto, needed: number, where: string): TensorBytes {
  const entries = new Map(proto.externalData.map((e) => [e.key, e.value]));
  const location = entries.get('location') ?? '';
  if (location === '')
    throw new DamagedModel(`${where} is stored in another file, but does not say in which.`);
  // A model must not make its reader open anything outside its own folder.
  if (/^([/\\]|[a-z][a-z0-9+.-]*:)/i.test(location) || location.split(/[/\\]/).includes('..'))
    throw new ModelError(
      `${where} points to the file "${location}" outside the model's folder. Save the model with its data next to it.`,
    );
  const offset = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? needed);
  if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(length))
    throw new DamagedModel(`${where} has an unreadable byte range in ${location}.`);
  if (length !== needed)
    throw new DamagedModel(`${where} has ${length} bytes in ${location}, but its shape needs ${needed}.`);
  return { kind: 'external', location, offset, length };
}

/** Values of the typed fields, as ONNX assigns them to element types (narrow types share int32_data). */
function typedBytes(proto: TensorProto, type: DType): Uint8Array {
  switch (type) {
    case 'float32':
      return bytesOf(Float32Array.from(proto.floatData));
    case 'float64':
      return bytesOf(Float64Array.from(proto.doubleData));
    case 'int64':
      return bytesOf(BigInt64Array.from(proto.int64Data));
    case 'uint64':
      return bytesOf(BigUint64Array.from(proto.uint64Data));
    case 'uint32':
      return bytesOf(Uint32Array.from(proto.uint64Data, Number));
    case 'int32':
      return bytesOf(Int32Array.from(proto.int32Data));
    case 'float16':
    case 'bfloat16':
    case 'uint16':
    case 'int16':
      return bytesOf(Uint16Array.from(proto.int32Data));
    default:
      return Uint8Array.from(proto.int32Data);
  }
}

const bytesOf = (a: TypedArray): Uint8Array =>
  new Uint8Array(a.buffer as ArrayBuffer, a.byteOffset, a.byteLength);
