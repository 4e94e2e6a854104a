/** @file Every sentence by which something is refused: of all places in the code that throw one, and of doors that are knocked at with bad input. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { readAdapter } from '#src/formats/adapters/adapterFiles.ts';
import { FormatError } from '#src/formats/errors.ts';
import { importPlan } from '#src/formats/plans/importPlan.ts';
import { parseJob, printJob, defaultJob } from '#src/formats/jobs/job.ts';
import { printPlan, defaultPlan } from '#src/formats/plans/plan.ts';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import { GraphError } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import { type Attribute, type DType, type Model, ModelError, type Node } from '#src/onnx/model.ts';
import { constantOf, sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { resolved } from '#src/ops/checks/support.ts';
import { operators } from '#src/ops/table.ts';
import { graphOf, model, n, ramp, value } from '#src/ops/testing/models.ts';
import { uniform } from '#src/ops/testing/random.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { DataError } from '#src/tasks/files.ts';
import { inspect } from '#workers/inspection/inspect.ts';
import { problemOf } from '#workers/trainer/problems.ts';
import { runtimeError } from '#src/runtime/errors.ts';
import { fixture } from '../testing/fixtures.ts';
import { mutations } from '../fuzz/mutate.ts';
import { fault, innerWord } from './plain.ts';

const ours = [ModelError, GraphError, FormatError, DataError];

/** Throws where a refusal is none of ours, or not plain. Returns whether there was one. */
function expectPlain(act: () => unknown, what: string): boolean {
  try {
    act();
    return false;
  } catch (error) {
    const known = ours.some((kind) => error instanceof kind);
    expect(known, `${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`).toBe(
      true,
    );
    const { message } = error as Error;
    expect(fault(message), `${what}: ${message}`).toBeNull();
    return true;
  }
}

describe('what the code says', () => {
  const makers =
    /^(ModelError|GraphError|DataError|FormatError|JobError|LinkError|UsageError|BadJob|RuntimeError|StoreError|Refusal|fail|refuse|refused|damaged)$/;
  interface Said {
    readonly where: string;
    readonly text: string;
  }

  /** A literal's text with what is put in left out; undefined: it is put together elsewhere. */
  function textOf(node: ts.Expression): string | undefined {
    if (ts.isStringLiteralLike(node)) return node.text;
    if (ts.isTemplateExpression(node))
      return node.head.text + node.templateSpans.map((s) => `x${s.literal.text}`).join('');
    if (ts.isConditionalExpression(node)) return textOf(node.whenTrue) ?? textOf(node.whenFalse);
    return undefined;
  }

  function sentences(path: string): Said[] {
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
    const found: Said[] = [];
    const visit = (node: ts.Node): void => {
      if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && ts.isIdentifier(node.expression)) {
        const said = makers.test(node.expression.text)
          ? (node.arguments ?? []).map(textOf).find((text) => text !== undefined && /\s/.test(text))
          : undefined;
        if (said !== undefined) {
          const { line } = source.getLineAndCharacterOfPosition(node.getStart());
          found.push({ where: `${path}:${line + 1}`, text: said });
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  }

  const files = ['src', 'workers', 'scripts'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => /\.(ts|mjs)$/.test(path) && !/\.test\.|\/testing\//.test(path)),
  );
  const all = files.flatMap(sentences);

  it('is found', () => expect(all.length).toBeGreaterThan(350));

  it('has no words that only developers know', () => {
    const wrong = all.flatMap(({ where, text }) => {
      const word = innerWord(text);
      return word === null ? [] : [`${where}: "${word}" in: ${text}`];
    });
    expect(wrong).toEqual([]);
  });
});

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
function odd(key: string, seed: number): Model {
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

const keys = [...Object.keys(operators), ...resolved, 'NoSuchOperator', 'some.domain::Odd'];

describe('every operator', () => {
  it.each(keys)('%s refuses what it cannot take in plain words', (key) => {
    let refusals = 0;
    for (let seed = 0; seed < 24; seed++)
      if (expectPlain(() => importGraph(odd(key, 1 + seed + 97 * keys.indexOf(key))), `${key}, seed ${seed}`))
        refusals++;
    if (key !== 'Constant' && key !== 'Identity') expect(refusals).toBeGreaterThan(0);
  });
});

/** All sentences of an inspection. */
async function inspected(bytes: Uint8Array): Promise<string[]> {
  const { models } = await inspect(memoryFiles({ 'model.onnx': bytes }));
  return models.flatMap((m) => {
    const problems = m.kind === 'refused' ? [m.problem] : m.problems;
    return problems.flatMap(({ message, cure }) => [message, ...(cure ? [cure] : [])]);
  });
}

describe('the doors', () => {
  // A copy: slices of Node's buffers share their bytes.
  const file = Uint8Array.from(fixture('oft/trajectory_mlp.onnx'));

  it.each(Object.entries(mutations))('the inspector: %s', async (_, mutate) => {
    const random = uniform(5);
    for (let i = 0; i < 12; i++)
      for (const said of await inspected(mutate(file, random))) expect(fault(said), said).toBeNull();
  });

  it.each<[string, Model]>([
    [
      'two inputs of one name',
      model(
        graphOf(
          [n('Add', ['x', 'x'], ['y'])],
          {},
          [value('x', 'float32', [2]), value('x', 'float32', [2])],
          ['y'],
        ),
      ),
    ],
    [
      'a node that makes an input anew',
      model(
        graphOf([n('Relu', ['x'], ['x']), n('Relu', ['x'], ['y'])], {}, [value('x', 'float32', [2])], ['y']),
      ),
    ],
    [
      'a node that makes a weight anew',
      model(
        graphOf(
          [n('Relu', ['x'], ['w']), n('Add', ['w', 'x'], ['y'])],
          { w: ramp(2) },
          [value('x', 'float32', [2])],
          ['y'],
        ),
      ),
    ],
    [
      'an output that nothing makes',
      model(graphOf([n('Relu', ['x'], ['y'])], {}, [value('x', 'float32', [2])], ['z'])),
    ],
    [
      'an output twice',
      model(graphOf([n('Relu', ['x'], ['y'])], {}, [value('x', 'float32', [2])], ['y', 'y'])),
    ],
    ['no output', model(graphOf([n('Relu', ['x'], ['y'])], {}, [value('x', 'float32', [2])], []))],
    [
      'a loop',
      model(
        graphOf(
          [n('Loop', ['', 'c', 'x'], ['y'])],
          {},
          [value('c', 'bool', []), value('x', 'float32', [2])],
          ['y'],
        ),
      ),
    ],
    [
      'a cycle',
      model(
        graphOf(
          [n('Add', ['x', 'b'], ['a']), n('Relu', ['a'], ['b'])],
          {},
          [value('x', 'float32', [2])],
          ['b'],
        ),
      ),
    ],
    [
      'rounded activations',
      model(
        graphOf(
          [
            n('MatMul', ['x', 'w'], ['h']),
            n('QuantizeLinear', ['h', 's'], ['q']),
            n('DequantizeLinear', ['q', 's'], ['d']),
            n('MatMul', ['d', 'w'], ['y']),
          ],
          { w: ramp(2, 2), s: ramp() },
          [value('x', 'float32', [1, 2])],
          ['y'],
        ),
      ),
    ],
  ])('the inspector: %s', async (_, m) => {
    for (const said of await inspected(encodeModel(m))) expect(fault(said), said).toBeNull();
  });

  it('plans and jobs with characters lost or changed', () => {
    const texts: [string, (text: string) => unknown][] = [
      [printPlan(defaultPlan), (text) => importPlan(text, 'plan.toml')],
      [printJob(defaultJob), parseJob],
      [
        '{"peft_type": "OFT", "r": 8, "oft_block_size": 0, "target_modules": ["q"]}',
        (text) => importPlan(text, 'adapter_config.json'),
      ],
      [
        'network_args = ["algo=diag-oft", "dropout=0.1"]\nnetwork_dim = 4\n',
        (text) => importPlan(text, 'args.txt'),
      ],
    ];
    const random = uniform(3);
    let refused = 0;
    for (const [text, read] of texts)
      for (let i = 0; i < 150; i++) {
        const at = Math.floor(random() * text.length);
        const with_ = ['', '"', '[', '=', 'x', '-1', 'nan', '\n'][Math.floor(random() * 8)]!;
        const bad = text.slice(0, at) + with_ + text.slice(at + 1 + Math.floor(random() * 3));
        if (expectPlain(() => read(bad), bad)) refused++;
      }
    expect(refused).toBeGreaterThan(100);
  });

  it('adapters with bytes changed, keys renamed, shapes of others', () => {
    const layers = findLayers(importGraph(decodeModel(file)));
    const layer = layers[0]!;
    const random = uniform(9);
    for (let i = 0; i < 200; i++) {
      const shape = [[2, 2, 2], [1, 3], [4], [], [2, 2, 2, 2], [layer.out, 1, 1]][Math.floor(random() * 6)]!;
      const end = ['oft_blocks', 'oft_R.weight', 'alpha', 'rescale', 'diff', 'lora_up.weight', 'weight'][
        Math.floor(random() * 7)
      ]!;
      const stem = [`lycoris_${layer.path}`, layer.path, 'base_model.model.x', 'lora_unet_down_blocks_0'][
        Math.floor(random() * 4)
      ]!;
      const bytes = writeSafetensors(new Map([[`${stem}.${end}`, ramp(...shape)]]));
      if (random() < 0.3) bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
      expectPlain(
        () => readAdapter(new Map([['adapter.safetensors', bytes]]), layers),
        `${stem}.${end} [${shape.join()}]`,
      );
    }
  });
});

describe('what nobody foresaw', () => {
  it.each([
    new TypeError("Cannot read properties of undefined (reading 'shape')"),
    new RangeError('Maximum call stack size exceeded'),
    new Error('x is not a function'),
    'a string',
    undefined,
  ])('%s is wrapped in a sentence, with its own words behind', (thrown) => {
    const problem = problemOf(thrown);
    expect(problem.code).toBe('internal');
    expect(fault(problem.message)).toBeNull();
    expect(problem.message).not.toContain('undefined');
    expect(problem.detail).toContain(thrown instanceof Error ? thrown.message : String(thrown));
  });

  it.each([
    new RangeError('Array buffer allocation failed'),
    new RangeError('Invalid typed array length: 99999999999'),
    new Error('failed to call OrtRun(). ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc'),
    new Error('Aborted(OOM)'),
    new Error('Out of memory'),
    new Error('Failed to allocate memory for buffer.'),
    new WebAssembly.RuntimeError('memory access out of bounds'),
  ])('%s is called what it is: not enough memory', (thrown) => {
    expect(problemOf(thrown).code).toBe('out-of-memory');
    const problem = problemOf(runtimeError(thrown, 'run', 'The run'));
    expect(problem.code).toBe('out-of-memory');
    expect(fault(problem.message)).toBeNull();
  });

  it('what the runtime says stays behind', () => {
    const thrown = new Error('Can’t create a session. ERROR_CODE: 1, ERROR_MESSAGE: Node (x) Op (y) failed');
    for (const phase of ['session', 'run'] as const) {
      const problem = problemOf(runtimeError(thrown, phase, 'The computation "step"'));
      expect(fault(problem.message), problem.message).toBeNull();
      expect(problem.detail).toContain('ERROR_CODE');
    }
  });
});
