/** @file Model → ONNX file. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import {
  type Attribute,
  type Constant,
  type Dim,
  type Model,
  ModelError,
  type ModelGraph,
  type ModelValue,
  type Node,
} from './model.ts';
import { typeCodes } from './protobuf.ts';
import { tensor } from './tensor.ts';

/** The model as an ONNX file. External constants stay references to their files. Throws ModelError for functions of several opsets. */
export function encodeModel(model: Model): Uint8Array {
  oneOpset(model);
  const proto = create(ModelProtoSchema, {
    irVersion: BigInt(model.irVersion),
    opsetImport: [...model.opsets].map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    producerName: model.producer,
    graph: encodeModelGraph(model.graph),
    metadataProps: entries(model.metadata),
  });
  return toBinary(ModelProtoSchema, proto);
}

const entries = (map: Iterable<readonly [string, string]>) =>
  [...map].map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));

function encodeModelGraph(graph: ModelGraph): GraphProto {
  return create(GraphProtoSchema, {
    name: graph.name || 'graph',
    input: graph.inputs.map(encodeValue),
    output: graph.outputs.map(encodeValue),
    node: graph.nodes.map(encodeNode),
    initializer: [...graph.initializers].map(([name, constant]) => encodeTensor(constant, name)),
  });
}

function encodeValue(value: ModelValue): ValueInfoProto {
  const shape = value.shape && create(TensorShapeProtoSchema, { dim: value.shape.map(encodeDim) });
  const type = create(TypeProto_TensorSchema, { elemType: typeCodes[value.type], shape: shape ?? undefined });
  return create(ValueInfoProtoSchema, {
    name: value.name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: type } }),
  });
}

const encodeDim = (dim: Dim) =>
  create(
    TensorShapeProto_DimensionSchema,
    dim === null
      ? {}
      : typeof dim === 'string'
        ? { value: { case: 'dimParam', value: dim } }
        : { value: { case: 'dimValue', value: BigInt(dim) } },
  );

function encodeNode(node: Node): NodeProto {
  return create(NodeProtoSchema, {
    opType: node.op,
    domain: node.domain,
    name: node.name,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, a]) => encodeAttribute(name, a)),
  });
}

const utf8 = new TextEncoder();
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => utf8.encode(text);
/** Whole numbers as int64 within its range: decoding 2⁶³ − 1 gave the double 2⁶³. */
const int64s = (values: readonly number[]): bigint[] => [
  ...(tensor('int64', [values.length], values).data as BigInt64Array),
];

function encodeAttribute(name: string, a: Attribute): AttributeProto {
  switch (a.kind) {
    case 'int':
      return create(AttributeProtoSchema, { name, type: Kind.INT, i: int64s([a.value])[0]! });
    case 'float':
      return create(AttributeProtoSchema, { name, type: Kind.FLOAT, f: a.value });
    case 'string':
      return create(AttributeProtoSchema, { name, type: Kind.STRING, s: bytesOf(a.value) });
    case 'ints':
      return create(AttributeProtoSchema, { name, type: Kind.INTS, ints: int64s(a.value) });
    case 'floats':
      return create(AttributeProtoSchema, { name, type: Kind.FLOATS, floats: [...a.value] });
    case 'strings':
      return create(AttributeProtoSchema, { name, type: Kind.STRINGS, strings: a.value.map(bytesOf) });
    case 'tensor':
      return create(AttributeProtoSchema, { name, type: Kind.TENSOR, t: encodeTensor(a.value, '') });
    case 'graph':
      return create(AttributeProtoSchema, { name, type: Kind.GRAPH, g: encodeModelGraph(a.value) });
  }
}

function encodeTensor(constant: Constant, name: string): TensorProto {
  const { data } = constant;
  return create(TensorProtoSchema, {
    name,
    dims: constant.shape.map(BigInt),
    dataType: typeCodes[constant.type],
    ...(data.kind === 'inline'
      ? { rawData: data.bytes as Uint8Array<ArrayBuffer> }
      : {
          dataLocation: TensorProto_DataLocation.EXTERNAL,
          externalData: entries([
            ['location', data.location],
            ['offset', String(data.offset)],
            ['length', String(data.length)],
          ]),
        }),
  });
}

/** Throws ModelError where functions were written out that are of another opset: one file names one version for all of its nodes. */
function oneOpset({ graph, opsets }: Model): void {
  const own = opsets.get('');
  const other = graph.nodes.find(
    (node) => node.domain === '' && node.opset !== undefined && node.opset !== own,
  );
  if (other)
    throw new ModelError(
      `The model (opset ${own}) holds local functions of opset ${other.opset}, which one file cannot hold written out. Convert the model first: onnx.inliner.inline_local_functions(model, convert_version=True), or onnx.version_converter.`,
    );
}
