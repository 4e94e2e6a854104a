import { inFull } from '#src/platform/refusals.ts';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  type GraphProto,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType as Type,
  TensorProtoSchema,
  type FunctionProto,
} from 'onnx-buf';
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { decodeModel } from './decode.ts';
import { encodeModel } from './encode.ts';
import { externalFiles, loadExternal } from './external.ts';
import { type Constant, ModelError } from './model.ts';
import { numbersOf, tensorOf } from './tensor.ts';

const file = (graph: GraphProto, functions: FunctionProto[] = []): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 17n }],
      graph,
      functions,
    }),
  );

type TensorInit = Parameters<typeof create<typeof TensorProtoSchema>>[1];
const withTensor = (init: TensorInit): Uint8Array =>
  file(create(GraphProtoSchema, { initializer: [create(TensorProtoSchema, { name: 'w', ...init })] }));
const decoded = (init: TensorInit): Constant => decodeModel(withTensor(init)).graph.initializers.get('w')!;

describe('tensors in typed fields', () => {
  test.each<[string, TensorInit, number[]]>([
    ['float32', { dataType: Type.FLOAT, dims: [2n], floatData: [1.5, -2] }, [1.5, -2]],
    ['float64', { dataType: Type.DOUBLE, dims: [1n], doubleData: [0.1] }, [0.1]],
    ['int64', { dataType: Type.INT64, dims: [2n], int64Data: [-1n, 5n] }, [-1, 5]],
    ['uint64', { dataType: Type.UINT64, dims: [1n], uint64Data: [7n] }, [7]],
    ['uint32', { dataType: Type.UINT32, dims: [1n], uint64Data: [4294967295n] }, [4294967295]],
    ['int32', { dataType: Type.INT32, dims: [1n], int32Data: [-3] }, [-3]],
    ['int16', { dataType: Type.INT16, dims: [1n], int32Data: [-3] }, [-3]],
    ['int8', { dataType: Type.INT8, dims: [2n], int32Data: [-3, 4] }, [-3, 4]],
    ['uint8', { dataType: Type.UINT8, dims: [1n], int32Data: [200] }, [200]],
    ['bool', { dataType: Type.BOOL, dims: [2n], int32Data: [1, 0] }, [1, 0]],
    ['float16', { dataType: Type.FLOAT16, dims: [2n], int32Data: [0x3c00, 0xc000] }, [1, -2]],
    ['bfloat16', { dataType: Type.BFLOAT16, dims: [1n], int32Data: [0x3fc0] }, [1.5]],
  ])('%s', (type, init, values) => {
    const constant = decoded(init);
    expect(constant.type).toBe(type);
    expect(numbersOf(tensorOf(constant))).toEqual(values);
  });

  it('takes two 4-bit values from a byte', () => {
    const constant = decoded({ dataType: Type.UINT4, dims: [3n], int32Data: [0x21, 0x03] });
    expect(constant).toMatchObject({ type: 'uint4', shape: [3], data: { bytes: new Uint8Array([0x21, 3]) } });
  });
});

it('views the weights in the file instead of copying them', () => {
  const bytes = withTensor({ dataType: Type.FLOAT, dims: [4n], rawData: new Uint8Array(16) });
  const { data } = decodeModel(bytes).graph.initializers.get('w')!;
  expect(data.kind === 'inline' && data.bytes.buffer === bytes.buffer).toBe(true);
});

describe('tensors in other files', () => {
  const external = (entries: Record<string, string>, dims = [2n]): TensorInit => ({
    dataType: Type.FLOAT,
    dims,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
  });

  it('stay byte ranges until they are loaded', () => {
    const model = decodeModel(withTensor(external({ location: 'sub/model.data', offset: '4', length: '8' })));
    expect(model.graph.initializers.get('w')!.data).toEqual({
      kind: 'external',
      location: 'sub/model.data',
      offset: 4,
      length: 8,
    });
    expect(externalFiles(model)).toEqual(['sub/model.data']);
    const data = new Uint8Array(new Float32Array([9, 1, 2]).buffer);
    const loaded = loadExternal(model, new Map([['sub/model.data', data]]));
    expect(numbersOf(tensorOf(loaded.graph.initializers.get('w')!))).toEqual([1, 2]);
    expect(() => loadExternal(model, new Map())).toThrow(/sub\/model.data, which is missing/);
    expect(() => loadExternal(model, new Map([['sub/model.data', data.subarray(0, 8)]]))).toThrow(
      /truncated/,
    );
  });

  it('have a length by their shape where the file gives none', () => {
    expect(decoded(external({ location: 'a.bin' })).data).toMatchObject({ offset: 0, length: 8 });
  });

  test.each([
    '/etc/passwd',
    '../secret',
    'a/../../b',
    'C:\\x',
    '\\\\host\\x',
    'https://example.org/x',
    'a\\..\\b',
  ])('must lie in the model’s folder, not at %s', (location) => {
    expect(() => decoded(external({ location }))).toThrow(ModelError);
    expect(() => decoded(external({ location }))).toThrow(/outside the model's folder/);
  });

  it('need a location, a readable range, and enough bytes', () => {
    expect(() => decoded(external({}))).toThrow(/does not say in which/);
    expect(() => decoded(external({ location: 'a', offset: '-1' }))).toThrow(/unreadable byte range/);
    expect(() => decoded(external({ location: 'a', length: '4' }))).toThrow(
      /4 bytes in a, but its shape needs 8/,
    );
  });
});

describe('damaged and foreign files', () => {
  const refusal = (bytes: Uint8Array): string => {
    try {
      decodeModel(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(ModelError);
      return inFull(error as ModelError);
    }
    throw new Error('The file was accepted.');
  };
  const text = (s: string): Uint8Array => new TextEncoder().encode(s);
  const bad = (name: string): Uint8Array => readFileSync(`e2e/golden/bad/${name}.onnx`);

  it('are refused with the reason', () => {
    expect(refusal(bad('empty'))).toMatch(/is empty/);
    expect(refusal(bad('truncated'))).toMatch(/truncated or damaged/);
    expect(refusal(bad('negative-dim'))).toMatch(/fc1.weight has a negative dimension/);
    expect(refusal(bad('short-data'))).toMatch(/fc1.weight holds 748 bytes .* needs 768/);
    expect(refusal(text('hello, world. This is text.'))).toMatch(/not an ONNX file/);
    expect(refusal(text('<!doctype html><html>'))).toMatch(/web page/);
    expect(refusal(text('version https://git-lfs.github.com/spec/v1\n'))).toMatch(/git lfs pull/);
    expect(refusal(text('PK\u0003\u0004rest'))).toMatch(/ZIP/);
    expect(refusal(text('\u0008\u0000\u0000\u0000\u0000\u0000\u0000\u0000{"a":1}'))).toMatch(/safetensors/);
  });

  it('are refused when cut anywhere', () => {
    const whole = readFileSync('e2e/golden/zoo/mlp-ts14/model.onnx');
    for (let length = 0; length < whole.length; length += 7) refusal(whole.subarray(0, length));
  });

  it('name a tensor of strings or of an unsupported type', () => {
    expect(refusal(withTensor({ dataType: Type.STRING, dims: [1n] }))).toMatch(/Weight w holds strings/);
    expect(refusal(withTensor({ dataType: Type.FLOAT8E5M2, dims: [1n] }))).toMatch(/FLOAT8E5M2/);
    expect(refusal(withTensor({ dataType: Type.FLOAT, dims: [2n ** 40n, 2n ** 40n] }))).toMatch(
      /impossible shape/,
    );
  });
});

describe('local functions', () => {
  const node = (opType: string, input: string[], output: string[], rest: object = {}) =>
    create(NodeProtoSchema, { opType, input, output, name: `${opType}_node`, ...rest });
  const attribute = (name: string, f: number) => create(AttributeProtoSchema, { name, type: Kind.FLOAT, f });
  const inner = create(FunctionProtoSchema, {
    name: 'Inner',
    domain: 'local',
    input: ['x'],
    output: ['y'],
    attribute: ['alpha'],
    node: [
      node('LeakyRelu', ['x'], ['y'], {
        attribute: [create(AttributeProtoSchema, { name: 'alpha', type: Kind.FLOAT, refAttrName: 'alpha' })],
      }),
    ],
  });
  const outer = create(FunctionProtoSchema, {
    name: 'Outer',
    domain: 'local',
    input: ['a', 'b'],
    output: ['c'],
    node: [
      node('Inner', ['a'], ['t'], { domain: 'local', attribute: [attribute('alpha', 0.25)] }),
      node('Add', ['t', 'b'], ['c']),
    ],
  });
  const graph = create(GraphProtoSchema, {
    node: [
      node('Outer', ['p', 'q'], ['r'], { domain: 'local' }),
      node('Outer', ['r', 'q'], ['s'], { domain: 'local' }),
    ],
  });

  it('are written out where they are called, nested ones too', () => {
    const { nodes } = decodeModel(file(graph, [inner, outer])).graph;
    expect(nodes.map((n) => n.op)).toEqual(['LeakyRelu', 'Add', 'LeakyRelu', 'Add']);
    expect(nodes[0]!.inputs).toEqual(['p']);
    expect(nodes[0]!.attributes.alpha).toEqual({ kind: 'float', value: 0.25 });
    expect(nodes[1]!.inputs).toEqual([nodes[0]!.outputs[0], 'q']);
    expect(nodes[1]!.outputs).toEqual(['r']);
    expect(nodes[2]!.outputs[0]).not.toBe(nodes[0]!.outputs[0]);
  });

  it('must not call themselves', () => {
    const loop = create(FunctionProtoSchema, {
      name: 'Outer',
      domain: 'local',
      node: [node('Outer', [], [], { domain: 'local' })],
    });
    expect(() => decodeModel(file(graph, [loop]))).toThrow(/calls itself/);
  });
});

describe('encoding', () => {
  test.each([
    'e2e/golden/zoo/mlp-ts14/model.onnx',
    'e2e/golden/zoo/resnet18-ts17/model.onnx',
    'e2e/golden/zoo/vit-hf-ts14/model.onnx',
    'public/models/emoji/text_encoder/model.onnx',
    'public/models/emoji/unet/model.onnx',
  ])('keeps all of %s', (path) => {
    const model = decodeModel(readFileSync(path));
    const again = decodeModel(encodeModel(model));
    expect(again.graph.nodes).toEqual(model.graph.nodes);
    expect({ ...again.graph, nodes: [], initializers: 0 }).toEqual({
      ...model.graph,
      nodes: [],
      initializers: 0,
    });
    expect([...again.graph.initializers.keys()]).toEqual([...model.graph.initializers.keys()]);
    for (const [name, constant] of model.graph.initializers) {
      const copy = again.graph.initializers.get(name)!;
      expect(copy.shape).toEqual(constant.shape);
      expect(
        copy.data.kind === 'inline' &&
          constant.data.kind === 'inline' &&
          equal(copy.data.bytes, constant.data.bytes),
      ).toBe(true);
    }
    expect(again).toMatchObject({
      irVersion: model.irVersion,
      opsets: model.opsets,
      producer: model.producer,
    });
  });

  const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

  it('keeps every kind of attribute, external data and the end of the int64 range', () => {
    const constant: Constant = {
      type: 'float32',
      shape: [1],
      data: { kind: 'inline', bytes: new Uint8Array(4) },
    };
    const nested = {
      name: 'n',
      inputs: [],
      outputs: [],
      nodes: [],
      initializers: new Map<string, Constant>(),
    };
    const model = {
      irVersion: 10,
      opsets: new Map([
        ['', 21],
        ['com.microsoft', 1],
      ]),
      producer: 'p',
      metadata: new Map([['k', 'v']]),
      graph: {
        ...nested,
        inputs: [{ name: 'x', type: 'float16' as const, shape: ['batch', 3, null] }],
        nodes: [
          {
            op: 'Op',
            domain: 'com.microsoft',
            name: 'node',
            inputs: ['x', '', 'w'],
            outputs: ['y'],
            attributes: {
              i: { kind: 'int', value: 2 ** 63 },
              f: { kind: 'float', value: 0.5 },
              s: { kind: 'string', value: 'ä' },
              is: { kind: 'ints', value: [1, -(2 ** 63)] },
              fs: { kind: 'floats', value: [0.25] },
              ss: { kind: 'strings', value: ['a', 'b'] },
              t: { kind: 'tensor', value: constant },
              g: { kind: 'graph', value: nested },
            } as const,
          },
        ],
        initializers: new Map<string, Constant>([
          [
            'w',
            { type: 'int8', shape: [3], data: { kind: 'external', location: 'w.bin', offset: 1, length: 3 } },
          ],
        ]),
      },
    };
    expect(decodeModel(encodeModel(model))).toEqual(model);
  });
});
