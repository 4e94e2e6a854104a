/** @file Files of real exporters through `npm run check -- … --gradients`: outputs and all gradients against PyTorch's in float64, refusals with their reason. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { readSafetensors } from '#src/formats/files/safetensors.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { operatorKey } from '#src/ops/table.ts';
import { check } from '../../scripts/check/main.ts';
import { expectNear, fixture, json, largest, tensors } from './testing/fixtures.ts';

interface Case {
  readonly name: string;
  readonly expect: 'train' | 'refusal' | 'either';
  readonly dims?: Readonly<Record<string, number>>;
  readonly tolerance: { readonly rtol: number; readonly atol: number };
}

const root = fileURLToPath(new URL('zoo', import.meta.url));
const cases = readdirSync(root).map((name) => ({ ...(json(`zoo/${name}/case.json`) as Case), name }));
const temporary = mkdtempSync(join(tmpdir(), 'zoo-'));
afterAll(() => rmSync(temporary, { recursive: true }));

/** Files that ONNX Runtime's optimiser wrote from others. */
const optimised = /-fused$|-nbits$|-qdq21$/;

/** Runs the command as a person would. */
async function run(name: string, ...more: string[]): Promise<{ status: number; error: string }> {
  const errors: string[] = [];
  const status = await check([join(root, name, 'model.onnx'), ...more], root, {
    out: () => undefined,
    err: (text) => errors.push(text),
  });
  return { status, error: errors.join('\n') };
}

/** Each case's gradients, once. */
async function gradients({ name, dims = {} }: Case) {
  const out = join(temporary, `${name}.safetensors`);
  const binds = Object.entries(dims).flatMap(([dim, size]) => ['--bind', `${dim}=${size}`]);
  const result = await run(name, ...binds, '--gradients', join(root, name, 'golden.safetensors'), out);
  return { ...result, out };
}

function expectGolden({ name, tolerance }: Case, out: string): void {
  const golden = tensors(`zoo/${name}/golden.safetensors`);
  const got = readSafetensors(readFileSync(out)).tensors;
  const { initializers } = decodeModel(fixture(`zoo/${name}/model.onnx`)).graph;
  let gradients = 0;
  for (const [key, want] of golden) {
    if (!key.startsWith('output.') && !key.startsWith('grad.')) continue;
    const weight = key.startsWith('grad.weight.') ? key.slice('grad.weight.'.length) : null;
    // An optimiser may have merged or transposed a weight: then the file no longer holds it under its name.
    if (weight !== null && optimised.test(name) && !initializers.has(weight)) continue;
    const value = got.get(key);
    if (!value) throw new Error(`${key} is missing`);
    expectNear(key, value, want, tolerance.atol + tolerance.rtol * largest(want));
    if (key.startsWith('grad.')) gradients++;
  }
  expect(gradients).toBeGreaterThan(0);
}

describe('train', () => {
  test.each(cases.filter((c) => c.expect === 'train'))('$name', async (c) => {
    const { status, error, out } = await gradients(c);
    expect(error).toBe('');
    expect(status).toBe(0);
    expectGolden(c, out);
  });
});

/** What the reason must name. */
const reasons: Readonly<Record<string, RegExp>> = {
  'bad-custom-op': /GatedSnake.*com\.example\.audio|com\.example\.audio.*GatedSnake/s,
  'bad-empty': /empty|no bytes/,
  'bad-mismatched-shape': /fc2/,
  'bad-negative-dim': /fc1\.weight/,
  'bad-short-data': /fc1\.weight/,
  'bad-truncated': /truncated|ends|cut/,
  'bad-undefined-input': /nowhere/,
  'gru-refuse-ts17': /GRU/,
};

describe('refuse, with the reason', () => {
  test.each(cases.filter((c) => c.expect === 'refusal'))('$name', async ({ name }) => {
    const { status, error } = await run(name);
    expect(status).toBe(2);
    expect(error).toMatch(/^error: /);
    expect(error).not.toMatch(/Rotune failed/);
    expect(error).toMatch(reasons[name]!);
  });
});

test.each(cases.filter((c) => c.expect === 'either'))('$name is trained right, or refused', async (c) => {
  const { status, error, out } = await gradients(c);
  if (status === 0) expectGolden(c, out);
  else expect(error).not.toMatch(/Rotune failed/);
});

test('no case of the zoo is left out', () => {
  expect(cases.filter((c) => c.expect === 'train').length).toBeGreaterThanOrEqual(29);
  expect(Object.keys(reasons).sort()).toEqual(
    cases
      .filter((c) => c.expect === 'refusal')
      .map((c) => c.name)
      .sort(),
  );
});

test('the fused files hold what they are there for', () => {
  const ops = (name: string): Set<string> =>
    new Set(decodeModel(fixture(`zoo/${name}/model.onnx`)).graph.nodes.map(operatorKey));
  for (const op of ['Attention', 'EmbedLayerNormalization', 'SkipLayerNormalization', 'BiasGelu'])
    expect(ops('bert-optimum14-fused')).toContain(`com.microsoft::${op}`);
  for (const op of ['MatMulNBits', 'FusedMatMul', 'QuickGelu'])
    expect(ops('llama-int4-nbits')).toContain(`com.microsoft::${op}`);
  expect(ops('llama-int4-qdq21')).toContain('DequantizeLinear');
  expect(ops('vit-timm-dyn23')).toContain('Attention');
});
