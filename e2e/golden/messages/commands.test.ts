/** @file What the commands print where they refuse: one line, with the way out, whatever was typed and whatever lies there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import { graphOf, model, n, ramp, value } from '#src/ops/testing/models.ts';
import { uniform } from '#src/ops/testing/random.ts';
import { check } from '../../../scripts/check/main.ts';
import { inWords } from '../../../scripts/tune/words.mjs';
import { readJob } from '../../../scripts/tune/library.ts';
import { parseArguments } from '../../../scripts/tune/options.mjs';
import { mutations } from '../../fuzz/parts/models.ts';
import { fixture } from '../testing/fixtures.ts';
import { innerWord, saysWayOut } from './plain.ts';

let folder: string;
const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotune-messages-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const whole = Uint8Array.from(fixture('oft/trajectory_mlp.onnx'));

function expectLine(line: string, what: string): void {
  expect(line, what).not.toContain('\n');
  expect(innerWord(line), `${what}: ${line}`).toBeNull();
  expect(saysWayOut(line), `no way out, ${what}: ${line}`).toBe(true);
}

/** Whether `npm run check` refused; fails where its line is not as it must be. */
async function checked(...argv: string[]): Promise<boolean> {
  const err: string[] = [];
  const status = await check(argv, folder, { out: () => undefined, err: (text) => err.push(text) });
  if (status === 0) {
    expect(err).toEqual([]);
    return false;
  }
  expect(err).toHaveLength(1);
  expect(err[0]).toMatch(/^error: /);
  expect(err[0]).not.toContain('by a mistake of its own');
  expectLine(err[0]!.slice('error: '.length), argv.join(' '));
  return true;
}

describe('npm run check', () => {
  it.each(Object.entries(mutations))('of a model with %s', async (name, mutate) => {
    const random = uniform(31);
    for (let i = 0; i < 6; i++) await checked(write('mutated.onnx', mutate(whole, random)), '--json');
    expect(name).not.toBe('');
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['a web page', new TextEncoder().encode('<!DOCTYPE html>')],
    ['a pickle', Uint8Array.of(0x80, 2, 0x7d)],
    [
      'a node whose inputs do not fit',
      encodeModel(
        model(graphOf([n('Add', ['x', 'w'], ['y'])], { w: ramp(3) }, [value('x', 'float32', [2])], ['y'])),
      ),
    ],
  ])('of %s', async (name, bytes) => {
    expect(await checked(write('odd.onnx', bytes)), name).toBe(true);
  });

  it('with words that it does not know, and files that are not there', async () => {
    const path = write('whole.onnx', whole);
    const adapter = write('a.safetensors', writeSafetensors(new Map([['x.oft_blocks', ramp(1, 2, 2)]])));
    mkdirSync(join(folder, 'empty'));
    for (const argv of [
      [],
      ['none.onnx'],
      [folder],
      [path, path],
      [path, '--binds', 'x=1'],
      [path, '--bind', 'nobody=3'],
      [path, '--bind', 'x'],
      [path, '--set', 'nobody=3'],
      [path, '--set', 'x'],
      [path, '--strength', 'much', '--adapter', adapter],
      [path, '--adapter', adapter],
      [path, '--adapter', 'none.safetensors'],
      [path, '--adapter', join(folder, 'empty')],
      [path, '--plan', 'none.toml'],
      [path, '--plan', write('plan.toml', 'steps = ')],
      [path, '--plan', write('plan.txt', 'nothing of a plan')],
      [path, '--plan', write('plan.json', '{"a": ')],
      [path, '--preset', 'ful'],
      [path, '--preset', 'full', '--plan', 'plan.toml'],
      [path, '--lora', '0'],
      [path, '--budget', 'few'],
      [path, '--gradients', 'none.safetensors', 'out.safetensors'],
      [path, '--gradients', adapter, join(folder, 'out.safetensors')],
      [path, '--gradients', adapter],
    ])
      expect(await checked(...argv), argv.join(' ')).toBe(true);
  });
});

/** Whether something was refused, in one line. */
function refusedInLine(act: () => unknown, what: string): boolean {
  try {
    act();
    return false;
  } catch (error) {
    expect((error as Error).constructor.name, `${what}: ${String(error)}`).toMatch(
      /^(Refusal|BadJob|JobError|FormatError)$/,
    );
    expectLine((error as Error).message, what);
    return true;
  }
}

describe('npm run tune', () => {
  it.each([
    ['--out'],
    ['--backend', 'gpu'],
    ['--steps', '0'],
    ['--steps', 'many'],
    ['--format', 'lora'],
    ['--nothing'],
    ['a.toml', 'b.toml'],
    ['a.toml', '--task', 'language'],
    ['--plan', 'p', '--preset', 'full'],
    ['--resume', '--steps', '3'],
    ['--resume', '--plan', 'p'],
    ['--resume', '--set', 'x=1'],
  ])('%s %s', (...argv) => {
    expect(refusedInLine(() => parseArguments(argv.filter(Boolean)), argv.join(' '))).toBe(true);
  });

  it('with jobs that are spoiled or not there', () => {
    const jobs = [
      'model = ',
      'model = "none"',
      'task = "nothing"',
      '[train]\nsteps = "many"',
      '[data]\ntrain = "none"',
      'modle = "x"',
      '<html></html>',
      '\u0000',
      '[[plan.rule]]\nmatch = 3',
      'adapter = "none.safetensors"',
    ];
    for (const [i, job] of jobs.entries())
      expect(
        refusedInLine(() => readJob(write(`job${i}.toml`, job)), job),
        job,
      ).toBe(true);
    for (const changes of [
      { task: 'nothing' },
      { preset: 'nothing' },
      { plan: join(folder, 'none') },
      { plan: folder },
      { plan: write('bad.toml', 'x = [') },
      { adapter: join(folder, 'none') },
      { set: ['x'] },
    ])
      expect(
        refusedInLine(() => readJob(null, changes), JSON.stringify(changes)),
        JSON.stringify(changes),
      ).toBe(true);
    expect(refusedInLine(() => readJob(join(folder, 'none.toml')), 'none')).toBe(true);
    expect(refusedInLine(() => readJob(folder), 'a folder')).toBe(true);
  });

  it('says the way out that goes with a problem of the page', () => {
    const line = inWords({
      code: 'bad-model',
      message: 'Add y: shapes do not fit.',
      cure: 'Export the model again.',
    });
    expect(line).toBe('Add y: shapes do not fit. Export the model again.');
  });
});
