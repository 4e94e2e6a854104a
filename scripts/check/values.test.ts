/** @file Sizes without names, values of inputs, adapters and models in which nothing can turn: what the command says and does. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '#src/formats/files/safetensors.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Dim, Model } from '#src/onnx/model.ts';
import { numbersOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { graphOf, model, n, ramp, value } from '#src/ops/testing/models.ts';
import { runCheck, temporaryFolder } from './testing/run.ts';

const { path: folder, remove } = temporaryFolder('values');
afterAll(remove);

const run = (...argv: string[]) => runCheck(folder, argv);
const save = (m: Model): void => writeFileSync(join(folder, 'm.onnx'), encodeModel(m));
const give = (tensors: Record<string, Tensor>): void =>
  writeFileSync(join(folder, 'in.safetensors'), writeSafetensors(new Map(Object.entries(tensors))));
const gradients = (...more: string[]) =>
  run('m.onnx', ...more, '--gradients', 'in.safetensors', 'out.safetensors');
const result = (name: string): Tensor =>
  readSafetensors(new Uint8Array(readFileSync(join(folder, 'out.safetensors')))).tensors.get(name)!;

/** y = x², elementwise, of two free axes. */
const square = (dims: readonly Dim[]): Model =>
  model(graphOf([n('Mul', ['x', 'x'], ['y'])], {}, [value('x', 'float32', dims)], ['y']));

describe('sizes', () => {
  const x = ramp(2, 3);

  it.each(['?', 'None', 'unk__7', '-1'])('%s on two axes: each has its own', async (dim) => {
    save(square([dim, dim]));
    give({ 'input.x': x, 'cotangent.y': x });
    expect((await gradients()).err).toBe('');
    expect(result('output.y').shape).toEqual([2, 3]);
    const { out } = await run('m.onnx', '--bind', 'x.0=5', '--bind', 'x.1=4');
    expect(out).toContain('input  x: float32 [5, 4]');
  });

  it('of one name differ: who says what, and the way out', async () => {
    save(square(['n', 'n']));
    give({ 'input.x': x, 'cotangent.y': x });
    expect((await gradients()).err).toMatch(
      /^error: The dimension n is 2 in input\.x \(axis 0\), but input\.x has 3 there \(axis 1\): axes of one name have one size\. Write both with one size, or set --bind x\.1=3, which means this axis alone\.$/,
    );
    expect((await gradients('--bind', 'x.1=3')).err).toBe('');
    expect(result('output.y').shape).toEqual([2, 3]);
  });

  it('that an expression does not come to are named', async () => {
    save(
      model(
        graphOf(
          [n('ReduceSum', ['m'], ['s'], { keepdims: 0 }), n('Mul', ['x', 's'], ['y'])],
          {},
          [value('x', 'float32', ['n', 3]), value('m', 'float32', ['n + 1'])],
          ['y'],
        ),
      ),
    );
    give({ 'input.x': x, 'input.m': ramp(4), 'cotangent.y': x });
    expect((await gradients()).err).toMatch(
      /input\.m has 4 on axis 0, but the model asks for n \+ 1, which is 3/,
    );
  });
});

describe('values of inputs', () => {
  const rated = (): Model =>
    model(
      graphOf(
        [n('Cast', ['sr'], ['r'], { to: 1 }), n('MatMul', ['x', 'w'], ['h']), n('Mul', ['h', 'r'], ['y'])],
        { w: ramp(4, 8) },
        [value('x', 'float32', [1, 4]), value('sr', 'int64', [])],
        ['y'],
      ),
    );

  it('are constants from then on', async () => {
    save(rated());
    give({ 'input.x': ramp(1, 4), 'cotangent.y': ramp(1, 8) });
    expect((await gradients()).err).toMatch(/IN lacks input\.sr/);
    expect((await gradients('--set', 'sr=2')).err).toBe('');
    const twice = numbersOf(result('output.y'));
    expect((await gradients('--set', 'sr=1')).err).toBe('');
    numbersOf(result('output.y')).forEach((v, i) => expect(2 * v).toBeCloseTo(twice[i]!, 5));
    const { out } = await run('m.onnx', '--set', 'sr=16000');
    expect(out).not.toContain('input  sr');
  });

  it.each([
    [['--set', 'rs=2'], /--set rs: the model has no such input; it has x, sr\./],
    [['--set', 'sr=fast'], /--set sr=fast: write it as NAME=VALUE/],
    [['--set', 'sr=0.5'], /The input sr is int64, which cannot be 0\.5\. Give it a whole number\./],
    [['--set', 'sr=1,2'], /The input sr \[\] takes 1 number, but was given 2\./],
  ])('%j is refused', async (argv, message) => {
    save(rated());
    const { status, err } = await run('m.onnx', ...argv);
    expect(status).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('where nothing can turn', () => {
  const linear = (out: number): Model =>
    model(
      graphOf([n('MatMul', ['x', 'w'], ['y'])], { w: ramp(6, out) }, [value('x', 'float32', [2, 6])], ['y']),
    );

  it('the plan is named, and what helps', async () => {
    save(linear(8));
    writeFileSync(join(folder, 'plan.toml'), 'blocks = { size = 1 }\n');
    const { status, err } = await run('m.onnx', '--plan', 'plan.toml');
    expect([status, err]).toEqual([
      2,
      'error: Nothing would be learned: every layer has blocks of size 1, which cannot turn. Choose larger blocks by a rule for them (blocks = { count = 1 }: one whole block), or skip them.',
    ]);
    writeFileSync(join(folder, 'plan.toml'), 'blocks = { count = 1 }\n');
    expect((await run('m.onnx', '--plan', 'plan.toml')).err).toBe('');
    const peft = { peft_type: 'OFT', r: 0, oft_block_size: 1, target_modules: 'all-linear' };
    writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(peft));
    expect((await run('m.onnx', '--plan', 'adapter_config.json')).err).toMatch(
      /every layer has blocks of size 1/,
    );
  });

  it('a layer of one output is turned on its other side', async () => {
    save(linear(1));
    expect((await run('m.onnx')).err).toMatch(/blocks of size 1.*Set side = "input" for them by a rule/);
    writeFileSync(join(folder, 'plan.toml'), 'side = "input"\n');
    expect((await run('m.onnx', '--plan', 'plan.toml')).err).toBe('');
  });

  it('an adapter of such blocks changes nothing, and has no gradient', async () => {
    save(linear(8));
    const weight = tensor('float32', [6, 0], []);
    writeFileSync(
      join(folder, 'adapter_model.safetensors'),
      writeSafetensors(new Map([['base_model.model.w.oft_R.weight', weight]])),
    );
    writeFileSync(
      join(folder, 'adapter_config.json'),
      JSON.stringify({ peft_type: 'OFT', r: 0, oft_block_size: 1, target_modules: ['w'] }),
    );
    give({ 'input.x': ramp(2, 6), 'cotangent.y': ramp(2, 8) });
    expect((await gradients()).err).toBe('');
    const plain = numbersOf(result('output.y'));
    const { err } = await gradients('--adapter', 'adapter_model.safetensors');
    expect(err).toBe('');
    expect(numbersOf(result('output.y'))).toEqual(plain);
  });
});

describe('activations rounded in blocks', () => {
  const blocks = { axis: 1, block_size: 4 };
  const rounded = (behind: boolean): Model =>
    model(
      graphOf(
        [
          n('MatMul', ['x', 'a'], ['h']),
          n('QuantizeLinear', ['h', 's', 'z'], ['q'], blocks),
          n('DequantizeLinear', ['q', 's', 'z'], ['d'], blocks),
          behind ? n('MatMul', ['d', 'b'], ['y']) : n('Relu', ['d'], ['y']),
        ],
        {
          a: ramp(8, 8),
          b: ramp(8, 8),
          s: tensor('float32', [1, 2], [0.1, 0.1]),
          z: tensor('int8', [1, 2], [0, 0]),
        },
        [value('x', 'float32', [1, 8])],
        ['y'],
      ),
      21,
    );

  it('are named, and skipping is advised only where a layer is left', async () => {
    save(rounded(false));
    const none = (await run('m.onnx')).err;
    expect(none).toMatch(
      /^error: QuantizeLinear .* rounds what passes through it, and rounding has no gradient\. Use the float model/,
    );
    expect(none).not.toMatch(/skip/i);
    save(rounded(true));
    expect((await run('m.onnx')).err).toMatch(
      /Or train only the layer behind it \(b\): skip the others by a rule\.$/,
    );
    writeFileSync(join(folder, 'plan.toml'), '[[rule]]\nmatch = { name = "a" }\nskip = true\n');
    expect((await run('m.onnx', '--plan', 'plan.toml')).err).toBe('');
  });
});
