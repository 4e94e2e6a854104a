/** @file ONNX file → Model. Weight bytes are views of the file, never copies. */
import { notWhat } from '#src/platform/sniff.ts';
import { fromBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType as Kind,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from 'onnx-buf';
import { withStoredWeights } from './constantNodes.ts';
import { decodeTensor } from './decodeTensor.ts';
import { copyWith, inlineFunctions, versionOf } from './functions.ts';
import {
  type Attribute,
  type Constant,
  DamagedModel,
  type Dim,
  type Model,
  ModelError,
  type ModelGraph,
  type ModelValue,
  type Node,
} from './model.ts';
import { dimNamed } from './dimNames.ts';
import { codeName, typeOfCode } from './protobuf.ts';
import { checkMessage } from './wire.ts';

/**
 * Decodes an ONNX file. The model's local functions are inlined; weights in Constant nodes become initializers; tensors in other files stay byte ranges.
 * @throws ModelError for anything that is not a whole, sane ONNX model.
 */
export function decodeModel(bytes: Uint8Array): Model {
  if (bytes.length === 0) throw new DamagedModel('The model file is empty.');
  // A plain view even of a Node Buffer, whose own slice() would not copy.
  const proto = parse(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (!proto.graph || proto.opsetImport.length === 0) {
    if (looksLikeOnnx(bytes))
      throw new ModelError('The ONNX file has no graph: it is truncated or damaged. Copy it again.');
    throw notOnnx(bytes);
  }
  const opsets = new Map(proto.opsetImport.map((o) => [domainOf(o.domain), Number(o.version)]));
  const graph =
    proto.functions.length === 0
      ? proto.graph
      : copyWith(proto.graph, { node: inlineFunctions(proto.graph.node, proto.functions) });
  return {
    irVersion: Number(proto.irVersion),
    opsets,
    producer: [proto.producerName, proto.producerVersion].filter(Boolean).join(' '),
    graph: withStoredWeights(decodeGraph(graph, true)),
    metadata: new Map(proto.metadataProps.map((p) => [p.key, p.value])),
  };
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    checkMessage(bytes, ModelProtoSchema);
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch {
    throw unreadable(bytes);
  }
}

/** Why a file cannot be read, by its first bytes. */
export const unreadable = (head: Uint8Array): ModelError =>
  looksLikeOnnx(head)
    ? new ModelError('The ONNX file is truncated or damaged: it ends in the middle. Copy it again.')
    : notOnnx(head);

/** An ONNX file starts with field 1 (ir_version), a small number, and then another field of ModelProto. */
const looksLikeOnnx = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x08 && bytes[1]! > 0 && bytes[1]! < 64 && (bytes.length === 2 || (bytes[2]! & 7) !== 7);

/** What to do with what is often taken for a model. */
const exported = 'Export the model to ONNX.';
const cures = {
  zip: 'Unpack it, or export the model to ONNX.',
  hdf5: exported,
  gguf: exported,
  pickle: exported,
  safetensors: 'It holds weights only: choose the model.onnx beside it.',
};

function notOnnx(bytes: Uint8Array): ModelError {
  const seen = notWhat('This', bytes, 'an ONNX file', 'Choose a model exported to ONNX (model.onnx).', cures);
  return seen
    ? new ModelError(...seen)
    : new ModelError('This is not an ONNX file. Choose a model exported to ONNX (model.onnx).');
}

const domainOf = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

function decodeGraph(proto: GraphProto, top: boolean): ModelGraph {
  if (proto.sparseInitializer.length > 0)
    throw new ModelError('The model has sparse weights, which are not supported. Export it with dense ones.');
  const initializers = new Map<string, Constant>();
  for (const t of proto.initializer) initializers.set(t.name, decodeTensor(t, `Weight ${t.name}`));
  return {
    name: proto.name,
    inputs: proto.input.filter((v) => !initializers.has(v.name)).map((v) => decodeValue(v, top)),
    outputs: proto.output.map((v) => decodeValue(v, false)),
    nodes: proto.node.map(decodeNode),
    initializers,
  };
}

/** Only the types of the graph's own inputs matter: all others are inferred, and files may leave them out. */
function decodeValue(proto: ValueInfoProto, typed: boolean): ModelValue {
  const value = proto.type?.value;
  const tensor = value?.case === 'tensorType' ? value.value : undefined;
  const type = typeOfCode(tensor?.elemType ?? 0);
  if (typed && !tensor)
    throw new ModelError(
      `Input ${proto.name} is ${value?.case ? `a ${value.case.replace('Type', '')}` : 'of no known type'}; only tensor inputs are supported. Export the model without the others.`,
    );
  if (typed && type === undefined)
    throw new ModelError(
      `Input ${proto.name} has element type ${codeName(tensor?.elemType ?? 0)}, which is not supported. Export the model with inputs of float32 or int64.`,
    );
  const shape = tensor?.shape?.dim.map((d): Dim => {
    if (d.value.case === 'dimParam') return dimNamed(d.value.value);
    const size = d.value.case === 'dimValue' ? Number(d.value.value) : -1;
    return size < 0 ? null : size; // some exporters write −1 for a free dimension
  });
  return { name: proto.name, type: type ?? 'float32', shape: shape ?? null };
}

function decodeNode(proto: NodeProto): Node {
  const version = versionOf(proto);
  const attributes: Record<string, Attribute> = {};
  for (const a of proto.attribute) {
    const where = `Attribute ${a.name} of ${proto.opType} ${proto.name}`;
    attributes[a.name] = decodeAttribute(a, where);
  }
  return {
    op: proto.opType,
    domain: domainOf(proto.domain),
    name: proto.name,
    inputs: proto.input,
    outputs: proto.output,
    attributes,
    ...(version !== undefined && { opset: version }),
  };
}

const utf8 = new TextDecoder();

/** A file may hold kinds that this schema does not know. */
const kindName = (kind: number): string =>
  (Kind as Readonly<Record<number, string | undefined>>)[kind] ?? String(kind);

function decodeAttribute(a: AttributeProto, where: string): Attribute {
  switch (a.type) {
    case Kind.INT:
      return { kind: 'int', value: Number(a.i) };
    case Kind.FLOAT:
      return { kind: 'float', value: a.f };
    case Kind.STRING:
      return { kind: 'string', value: utf8.decode(a.s) };
    case Kind.INTS:
      return { kind: 'ints', value: a.ints.map(Number) };
    case Kind.FLOATS:
      return { kind: 'floats', value: a.floats };
    case Kind.STRINGS:
      return { kind: 'strings', value: a.strings.map((s) => utf8.decode(s)) };
    case Kind.TENSOR:
      if (!a.t) break;
      return { kind: 'tensor', value: decodeTensor(a.t, where) };
    case Kind.GRAPH:
      if (!a.g) break;
      return { kind: 'graph', value: decodeGraph(a.g, false) };
    default:
  }
  throw new ModelError(
    `${where} is of kind ${kindName(a.type)}, which is not supported. Export the model without it.`,
  );
}
