/** @file Names of ONNX element types against their codes in the protobuf schema. */
import { TensorProto_DataType } from 'onnx-buf';
import type { DType } from './model.ts';

/** TensorProto.DataType codes by the names used here. */
export const typeCodes: Readonly<Record<DType, TensorProto_DataType>> = {
  float32: TensorProto_DataType.FLOAT,
  uint8: TensorProto_DataType.UINT8,
  int8: TensorProto_DataType.INT8,
  uint16: TensorProto_DataType.UINT16,
  int16: TensorProto_DataType.INT16,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  string: TensorProto_DataType.STRING,
  bool: TensorProto_DataType.BOOL,
  float16: TensorProto_DataType.FLOAT16,
  float64: TensorProto_DataType.DOUBLE,
  uint32: TensorProto_DataType.UINT32,
  uint64: TensorProto_DataType.UINT64,
  bfloat16: TensorProto_DataType.BFLOAT16,
  uint4: TensorProto_DataType.UINT4,
  int4: TensorProto_DataType.INT4,
};

const names = new Map<number, DType>(Object.entries(typeCodes).map(([name, code]) => [code, name as DType]));

/** The element type of a code; undefined for one that is not handled (complex, float8 …). */
export const typeOfCode = (code: number): DType | undefined => names.get(code);

/** How the schema calls a code, for messages. */
export const codeName = (code: number): string => TensorProto_DataType[code] ?? `type ${code}`;
