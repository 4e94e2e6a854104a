/** @file Local functions of other opsets than the model's, nested ones too: each is read as of its own. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType as Type,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { decodeModel } from '#src/onnx/decode.ts';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';

const node = (opType: string, input: string[], output: string[], rest: object = {}) =>
  create(NodeProtoSchema, { opType, input, output, name: `${opType} node`, ...rest });
const int = (name: string, i: bigint) => create(AttributeProtoSchema, { name, type: Kind.INT, i });
const ints = (name: string, list: bigint[]) =>
  create(AttributeProtoSchema, { name, type: Kind.INTS, ints: list });
const opset = (version: bigint) => [
  { domain: '', version },
  { domain: 'local', version: 1n },
];
const value = (name: string, ...dims: bigint[]) =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: Type.FLOAT,
          shape: { dim: dims.map((d) => ({ value: { case: 'dimValue' as const, value: d } })) },
        },
      },
    },
  });

/** Softmax of opset 11 flattens from its axis on; axes of Unsqueeze and Squeeze are attributes. */
const oldOf = (version: bigint) =>
  create(FunctionProtoSchema, {
    name: 'Old',
    domain: 'local',
    input: ['x'],
    output: ['y'],
    opsetImport: opset(version),
    node: [
      node('Softmax', ['x'], ['s'], { attribute: [int('axis', 1n)] }),
      node('Unsqueeze', ['s'], ['u'], { attribute: [ints('axes', [0n])] }),
      node('Newer', ['u'], ['n'], { domain: 'local' }),
      node('Squeeze', ['n'], ['y'], { attribute: [ints('axes', [0n])] }),
    ],
  });
/** Since opset 18 the axes of ReduceMean are an input. */
const newer = create(FunctionProtoSchema, {
  name: 'Newer',
  domain: 'local',
  input: ['x'],
  output: ['y'],
  opsetImport: opset(18n),
  node: [
    node('Constant', [], ['axes'], { attribute: [ints('value_ints', [-1n])] }),
    node('ReduceMean', ['x', 'axes'], ['y'], { attribute: [int('keepdims', 1n)] }),
  ],
});

const file = (model: bigint, functions = [oldOf(11n), newer]): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: opset(model),
      functions,
      graph: create(GraphProtoSchema, {
        input: [value('p', 2n, 2n, 3n)],
        output: [value('r')],
        // Its own Softmax: of one axis since 13, flattening before.
        node: [
          node('Old', ['p'], ['o'], { domain: 'local' }),
          node('Softmax', ['p'], ['q'], { attribute: [int('axis', 1n)] }),
          node('Add', ['o', 'q'], ['r']),
        ],
      }),
    }),
  );

const numbers = Array.from({ length: 12 }, (_, i) => Math.sin(3 * i));

describe('local functions', () => {
  it.each([13n, 17n, 21n])('of opsets 11 and 18 in a model of %s', async (version) => {
    const graph = importGraph(decodeModel(file(version)));
    const { r } = await runGraph(graph, { p: tensor('float32', [2, 2, 3], numbers) });
    const e = numbers.map(Math.exp);
    const sum = (pick: (i: number) => boolean): number => e.reduce((n, x, i) => (pick(i) ? n + x : n), 0);
    const expected = e.map((x, i) => {
      const [batch, column] = [Math.floor(i / 6), i % 3];
      const row = Math.floor(i / 3);
      const flat = sum((k) => Math.floor(k / 6) === batch);
      const mean = sum((k) => Math.floor(k / 3) === row) / flat / 3;
      return mean + x / sum((k) => Math.floor(k / 6) === batch && k % 3 === column);
    });
    numbersOf(r!).forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 6));
  });

  it('cannot be written back into a model of one opset', () => {
    expect(() => encodeModel(decodeModel(file(17n)))).toThrow(
      /local functions of opset 11.*version_converter/s,
    );
    expect(() =>
      encodeModel(
        decodeModel(
          file(11n, [
            oldOf(11n),
            create(FunctionProtoSchema, {
              name: 'Newer',
              domain: 'local',
              input: ['x'],
              output: ['y'],
              node: [node('Relu', ['x'], ['y'])],
            }),
          ]),
        ),
      ),
    ).not.toThrow();
  });

  it('of an opset that is not read are refused', () => {
    expect(() => importGraph(decodeModel(file(17n, [oldOf(6n), newer])))).toThrow(
      /A function of the model .* uses ONNX opset 6; 7 to 26 are supported/,
    );
  });
});
