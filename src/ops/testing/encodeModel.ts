/** @file A graph as ONNX bytes, for tests. */
import { create, toBinary } from '@bufbuild/protobuf';
import * as pb from 'onnx-buf';
import { castCodes } from '#src/graph/builder.ts';
import type { Graph, Value } from '#src/graph/types.ts';
import { type Attribute, type Constant, ModelError } from '#src/onnx/model.ts';

const kinds = {
  int: pb.AttributeProto_AttributeType.INT,
  float: pb.AttributeProto_AttributeType.FLOAT,
  string: pb.AttributeProto_AttributeType.STRING,
  ints: pb.AttributeProto_AttributeType.INTS,
  floats: pb.AttributeProto_AttributeType.FLOATS,
  strings: pb.AttributeProto_AttributeType.STRINGS,
  tensor: pb.AttributeProto_AttributeType.TENSOR,
  graph: pb.AttributeProto_AttributeType.GRAPH,
} as const;

const text = (s: string) => new TextEncoder().encode(s);

function tensorProto(name: string, c: Constant) {
  if (c.data.kind !== 'inline') throw new ModelError(`${name}: tests hold their tensors inline.`);
  return create(pb.TensorProtoSchema, {
    name,
    dataType: castCodes[c.type],
    dims: c.shape.map(BigInt),
    rawData: c.data.bytes.slice(),
  });
}

function attributeProto(name: string, a: Attribute) {
  const proto = create(pb.AttributeProtoSchema, { name, type: kinds[a.kind] });
  if (a.kind === 'int') proto.i = BigInt(a.value);
  else if (a.kind === 'float') proto.f = a.value;
  else if (a.kind === 'string') proto.s = text(a.value);
  else if (a.kind === 'ints') proto.ints = a.value.map(BigInt);
  else if (a.kind === 'floats') proto.floats = [...a.value];
  else if (a.kind === 'strings') proto.strings = a.value.map(text);
  else if (a.kind === 'tensor') proto.t = tensorProto('', a.value);
  else throw new ModelError(`${name}: graph attributes are not written here.`);
  return proto;
}

const valueInfo = (v: Value) =>
  create(pb.ValueInfoProtoSchema, {
    name: v.name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: castCodes[v.type],
          shape: { dim: v.shape.map((d) => ({ value: { case: 'dimValue' as const, value: BigInt(d) } })) },
        },
      },
    },
  });

/** The graph as the bytes of an opset 21, IR 10 model. */
export function encodeModel(graph: Graph): Uint8Array {
  const model = create(pb.ModelProtoSchema, {
    irVersion: 10n,
    opsetImport: [
      { domain: '', version: 21n },
      { domain: 'com.microsoft', version: 1n },
    ],
    graph: create(pb.GraphProtoSchema, {
      name: 'test',
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
      initializer: [...graph.constants].map(([name, c]) => tensorProto(name, c)),
      node: graph.nodes.map((n) =>
        create(pb.NodeProtoSchema, {
          opType: n.op,
          domain: n.domain,
          name: n.name,
          input: [...n.inputs],
          output: [...n.outputs],
          attribute: Object.entries(n.attributes).map(([k, a]) => attributeProto(k, a)),
        }),
      ),
    }),
  });
  return toBinary(pb.ModelProtoSchema, model);
}
