import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '#src/formats/files/safetensors.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Model, TensorBytes } from '#src/onnx/model.ts';
import { constantOf, numbersOf, sizeOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { model as modelOf } from '#src/ops/testing/models.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { expectNear, json, largest, tensors } from '../../e2e/golden/testing/fixtures.ts';
import { runCheck, temporaryFolder } from './testing/run.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { path: folder, remove } = temporaryFolder('check');
afterAll(remove);

/** Runs the command's body, with paths from the repository's root. */
const run = (...argv: string[]) => runCheck(root, argv);

/** What --gradients writes for these tensors. */
async function gradients(
  model: string,
  given: Map<string, Tensor>,
  ...more: string[]
): Promise<Map<string, Tensor>> {
  const [from, to] = [join(folder, 'in.safetensors'), join(folder, 'out.safetensors')];
  writeFileSync(from, writeSafetensors(given));
  const { status, err } = await run(model, ...more, '--gradients', from, to);
  expect(err).toBe('');
  expect(status).toBe(0);
  return readSafetensors(new Uint8Array(readFileSync(to))).tensors;
}

/** Ends in one line that names the cause, with status 2. */
async function refusal(...argv: string[]): Promise<string> {
  const { status, err } = await run(...argv);
  expect(status).toBe(2);
  expect(err).toMatch(/^error: [^\n]+$/);
  expect(err).not.toContain('Rotune failed');
  return err.slice('error: '.length);
}

const asked = (all: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  new Map([...all].filter(([key]) => /^(input|cotangent)\./.test(key)));

describe.each(['mlp-ts14', 'resnet18-ts17', 'vit-hf-ts14'])('%s', (name) => {
  it('has PyTorch’s outputs and gradients', async () => {
    const golden = tensors(`zoo/${name}/golden.safetensors`);
    const { tolerance } = json(`zoo/${name}/case.json`) as { tolerance: { rtol: number; atol: number } };
    const out = await gradients(`e2e/golden/zoo/${name}/model.onnx`, asked(golden));
    const wanted = [...golden].filter(([key]) => /^(output|grad)\./.test(key));
    expect(wanted.length).toBeGreaterThan(4);
    for (const [key, want] of wanted)
      expectNear(key, out.get(key)!, want, tolerance.atol + tolerance.rtol * largest(want));
    expect([...out.keys()].filter((k) => !k.startsWith('grad.weight.') && !golden.has(k))).toEqual([]);
  });
});

const emoji = 'public/models/emoji/unet/model.onnx';
/** golden.json: forward rtol 1e-4 atol 1e-4; gradients (1e-3 + 1e-4) × the tensor's largest entry. */
const forward = (t: Tensor): number => 1e-4 + 1e-4 * largest(t);
const backward = (t: Tensor): number => 1.1e-3 * largest(t);

describe('the built-in model', () => {
  const golden = tensors('emoji/unet.safetensors');

  it('has PyTorch’s output and gradients', async () => {
    const out = await gradients(emoji, asked(golden));
    expectNear(
      'output',
      out.get('output.out_sample')!,
      golden.get('output.out_sample')!,
      forward(golden.get('output.out_sample')!),
    );
    // OUT holds weights of rank 2 and more; the golden file also has biases.
    const wanted = [...golden].filter(
      ([k, t]) => k.startsWith('grad.input.') || (k.startsWith('grad.weight.') && t.shape.length > 1),
    );
    expect(wanted).toHaveLength(31);
    for (const [key, want] of wanted) expectNear(key, out.get(key)!, want, backward(want));
  });

  it.each(depth(['lycoris_dim8_constraint_rescaled'], ['lycoris_dim4', 'lycoris_dim8_constraint_rescaled']))(
    'with %s has LyCORIS’s',
    async (name) => {
      const want = tensors(`emoji/${name}_expected.safetensors`);
      const out = await gradients(emoji, asked(golden), '--adapter', `e2e/golden/emoji/${name}.safetensors`);
      for (const [key, t] of want) {
        const found = out.get(
          key.startsWith('grad.') ? `grad.adapter.${key.slice(5)}` : 'output.out_sample',
        )!;
        expectNear(key, found, t, key.startsWith('grad.') ? backward(t) : forward(t));
      }
    },
  );

  it('is described layer by layer', async () => {
    const { status, out } = await run(emoji, '--json');
    expect(status).toBe(0);
    const report = JSON.parse(out) as {
      model: { opset: number };
      dims: object;
      layers: { path: string; part: string; count: number; size: number; state: string }[];
      totals: object;
      tools: { tool: string; verdict: string; format: string | null }[];
      unsupported: unknown[];
      placement: { nodes: number; elsewhere: unknown[] };
    };
    expect(report.model.opset).toBe(17);
    expect(report.dims).toEqual({ batch: { value: 1, from: 'assumed' } });
    expect(report.layers).toHaveLength(133);
    expect(report.layers[0]).toMatchObject({ part: 'unet', count: 32, size: 4, state: 'adapted' });
    expect(report.totals).toMatchObject({ adapted: 133, stored: 57_347, effective: 21_504, base: 2_742_976 });
    expect(report.tools).toContainEqual(
      expect.objectContaining({ tool: 'LyCORIS', verdict: 'loads', format: 'lycoris' }),
    );
    expect(report.unsupported).toEqual([]);
    expect(report.placement.elsewhere.length).toBeLessThan(report.placement.nodes / 100);
  });

  it('follows a plan', async () => {
    const plan = join(folder, 'plan.toml');
    writeFileSync(
      plan,
      '[[rule]]\nmatch = { kind = "conv" }\nskip = true\n[[rule]]\nmatch = { name = "*attn2*" }\nblocks = { count = 4 }\n',
    );
    const { status, out } = await run(emoji, '--plan', plan, '--bind', 'batch=2');
    expect(status).toBe(0);
    expect(out).toMatch(/^input {2}sample: float32 \[2, 3, 32, 32\]$/m);
    expect(out).toMatch(/attn2\.to_q +linear +64 +64 +2 +count = 4 +4 × 16 +1,024 +480 +\d+\.\d %$/m);
    expect(out).not.toMatch(/conv 3×3/);
    expect(out).toMatch(/left as they are: conv_in,/);
  });

  it('follows a preset, compares with LoRA and proposes what meets a budget', async () => {
    const { status, out } = await run(emoji, '--preset', 'attn-only', '--lora', '4', '--budget', '5000');
    expect(status).toBe(0);
    expect(out).toMatch(/^56 of 133 layers adapted:$/m);
    expect(out).toMatch(/LoRA of rank 4 on the same layers stores [\d,]+/);
    expect(out).toMatch(/5,000/);
    expect(out).toMatch(/OneTrainer +does not load/);
  });
});

it('runs the text encoder', async () => {
  const golden = tensors('emoji/text_encoder.safetensors');
  const want = golden.get('last_hidden_state')!;
  const given = new Map([
    ['input.input_ids', golden.get('input_ids')!],
    [
      'cotangent.last_hidden_state',
      tensor('float32', want.shape, new Float32Array(sizeOf(want.shape)).fill(1)),
    ],
  ]);
  const out = await gradients('public/models/emoji/text_encoder/model.onnx', given);
  expectNear('last_hidden_state', out.get('output.last_hidden_state')!, want, forward(want));
});

describe('a small UNet with LyCORIS’s file', () => {
  const io = tensors('oft/unet/io.safetensors');
  const model = 'e2e/golden/oft/unet/model.onnx';
  const given = new Map(
    [...io].flatMap(([key, t]): [string, Tensor][] => {
      if (key === 'cotangent') return [['cotangent.out_sample', t]];
      return ['sample', 'timestep', 'encoder_hidden_states'].includes(key) ? [[`input.${key}`, t]] : [];
    }),
  );

  it.each([
    ['1', 'expected.output'],
    ['0.5', 'expected.output_multiplier_0.5'],
    ['0', 'expected.output_base'],
  ])('at strength %s gives %s', async (strength, key) => {
    const out = await gradients(
      model,
      given,
      '--adapter',
      'e2e/golden/oft/unet/adapter.safetensors',
      '--strength',
      strength,
    );
    expectNear(key, out.get('output.out_sample')!, io.get(key)!, forward(io.get(key)!));
    if (strength !== '1') return;
    const wanted = [...io].filter(([k]) => k.startsWith('grad.lora_unet_'));
    expect(wanted).toHaveLength(83);
    for (const [k, t] of wanted) expectNear(k, out.get(`grad.adapter.${k.slice(5)}`)!, t, backward(t) + 1e-6);
  });
});

describe.each(['mlp', 'conv'])('the %s net of the trajectories', (net) => {
  it('has its layers by name', async () => {
    const { status, out } = await run(`e2e/golden/oft/trajectory_${net}.onnx`, '--json');
    expect(status).toBe(0);
    const cases = json('oft/cases.json') as { net?: string; onnx_weights?: object }[];
    const names = Object.keys(cases.find((c) => c.net === net)!.onnx_weights!);
    expect((JSON.parse(out) as { layers: { path: string }[] }).layers.map((l) => l.path).sort()).toEqual(
      names.sort(),
    );
  });
});

const weight = tensor('float32', [3, 2], [1, 2, 3, 4, 5, 6]);
const matMul = (data?: TensorBytes, type: 'float32' | 'float16' = 'float32'): Model =>
  modelOf({
    name: 'g',
    inputs: [{ name: 'x', type: 'float32', shape: ['batch', 3] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['batch', 2] }],
    nodes:
      type === 'float32'
        ? [
            {
              op: 'MatMul',
              domain: '',
              name: '/fc/MatMul',
              inputs: ['x', 'w'],
              outputs: ['y'],
              attributes: {},
            },
          ]
        : [
            {
              op: 'Cast',
              domain: '',
              name: 'c',
              inputs: ['w'],
              outputs: ['w32'],
              attributes: { to: { kind: 'int', value: 1 } },
            },
            {
              op: 'Transpose',
              domain: '',
              name: 't',
              inputs: ['w32'],
              outputs: ['wt'],
              attributes: { perm: { kind: 'ints', value: [1, 0] } },
            },
            {
              op: 'Gemm',
              domain: '',
              name: 'fc',
              inputs: ['x', 'wt'],
              outputs: ['y'],
              attributes: { transB: { kind: 'int', value: 1 } },
            },
          ],
    initializers: new Map([
      ['w', data ? { type, shape: [3, 2], data } : constantOf(weight)],
      ['unused', constantOf(tensor('float32', [1, 2], [0, 0]))],
    ]),
  });
const x = tensor('float32', [1, 3], [1, 10, 100]);
const dy = tensor('float32', [1, 2], [1, -1]);
const small = new Map([
  ['input.x', x],
  ['cotangent.y', dy],
]);
const written = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

describe('weights', () => {
  it('get gradients in their own shape behind Cast and Transpose, in full precision, and zeros where unused', async () => {
    const half: TensorBytes = {
      kind: 'inline',
      bytes: new Uint8Array(Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600).buffer),
    };
    const tiny = new Map([
      ['input.x', x],
      ['cotangent.y', tensor('float32', [1, 2], [2 ** -30, -(2 ** -30)])],
    ]);
    const out = await gradients(written('half.onnx', encodeModel(matMul(half, 'float16'))), tiny);
    expect(numbersOf(out.get('output.y')!)).toEqual([531, 642]);
    expect(out.get('grad.weight.w')).toEqual(
      tensor(
        'float32',
        [3, 2],
        [1, -1, 10, -10, 100, -100].map((v) => v * 2 ** -30),
      ),
    );
    expect(out.get('grad.weight.unused')).toEqual(tensor('float32', [1, 2], [0, 0]));
  });

  it('are read from files beside the model, at their offsets', async () => {
    const bytes = new Uint8Array(8 + 24);
    bytes.set(new Uint8Array(weight.data.buffer), 8);
    mkdirSync(join(folder, 'data'), { recursive: true });
    writeFileSync(join(folder, 'data/w.bin'), bytes);
    const external: TensorBytes = { kind: 'external', location: 'data/w.bin', offset: 8, length: 24 };
    const out = await gradients(written('external.onnx', encodeModel(matMul(external))), small);
    expect(numbersOf(out.get('output.y')!)).toEqual([531, 642]);
    expect(numbersOf(out.get('grad.input.x')!)).toEqual([-1, -1, -1]);
  });
});

it('reads of a model of gigabytes what describes it', async () => {
  // A sparse file: sizes as on the disk of a large model, no bytes.
  const huge: TensorBytes = { kind: 'external', location: 'huge.bin', offset: 0, length: 4 * 50_000 ** 2 };
  writeFileSync(join(folder, 'huge.bin'), '');
  truncateSync(join(folder, 'huge.bin'), huge.length);
  const small = matMul();
  const side = { ...constantOf(weight), shape: [50_000, 50_000], data: huge };
  const made: Model = {
    ...small,
    graph: {
      ...small.graph,
      inputs: [{ name: 'x', type: 'float32', shape: [1, 50_000] }],
      outputs: [{ name: 'y', type: 'float32', shape: [1, 50_000] }],
      initializers: new Map([['w', side]]),
    },
  };
  const path = written('huge.onnx', encodeModel(made));
  const { status, err, out } = await run(path);
  expect(err).toBe('');
  expect(status).toBe(0);
  expect(out).toMatch(/50000 +50000/);
  const from = written('x.safetensors', writeSafetensors(new Map([['input.x', x]])));
  expect(await refusal(path, '--gradients', from, join(folder, 'o.safetensors'))).toMatch(
    /has 10.0 GB, too much for --gradients/,
  );
});

it('writes outputs that are constants too', async () => {
  const plain = matMul(constantOf(weight).data);
  const positions = tensor('int64', [3], [0, 1, 2]);
  const made: Model = {
    ...plain,
    graph: {
      ...plain.graph,
      outputs: [...plain.graph.outputs, { name: 'positions', type: 'int64', shape: [3] }],
      initializers: new Map([...plain.graph.initializers, ['positions', constantOf(positions)]]),
    },
  };
  const out = await gradients(written('positions.onnx', encodeModel(made)), small);
  expect(numbersOf(out.get('output.positions')!)).toEqual([0, 1, 2]);
  expect(numbersOf(out.get('output.y')!)).toEqual([531, 642]);
});

describe('refusals', () => {
  const external = (location: string, length = 24): string =>
    written(
      `external-${location.replaceAll(/\W/g, '')}.onnx`,
      encodeModel(matMul({ kind: 'external', location, offset: 0, length })),
    );

  it('of models', async () => {
    expect(await refusal('no/such.onnx')).toMatch(/no\/such.onnx cannot be read: there is no such file/);
    expect(await refusal('src')).toMatch(/it is a folder/);
    expect(await refusal('package.json')).toMatch(/not an ONNX/i);
    expect(await refusal(written('empty.onnx', new Uint8Array(0)))).toMatch(/empty/);
    const whole = encodeModel(matMul());
    expect(await refusal(written('cut.onnx', whole.subarray(0, whole.length - 9)))).toMatch(
      /truncated or damaged/,
    );
    const sum = {
      ...matMul(),
      graph: {
        ...matMul().graph,
        nodes: [{ op: 'Relu', domain: '', name: '', inputs: ['x'], outputs: ['y'], attributes: {} }],
        outputs: [{ name: 'y', type: 'float32', shape: ['batch', 3] }],
      },
    } as Model;
    expect(await refusal(written('relu.onnx', encodeModel(sum)))).toMatch(/no layer to adapt/);
    const custom = matMul();
    const node = {
      ...custom.graph.nodes[0]!,
      op: 'Snake',
      domain: 'com.example',
      inputs: ['h'],
      name: 'act',
    };
    const nodes = [{ ...custom.graph.nodes[0]!, outputs: ['h'] }, node];
    const path = written(
      'custom.onnx',
      encodeModel({
        ...custom,
        opsets: new Map([
          ['', 17],
          ['com.example', 1],
        ]),
        graph: { ...custom.graph, nodes },
      }),
    );
    expect(await refusal(path)).toMatch(/com.example::Snake act/);
    expect((await run(path)).out).toMatch(/com.example::Snake +act +not taken +a gradient must pass it/);
  });

  it('of external data that is missing, short or elsewhere', async () => {
    expect(await refusal(external('gone.bin'))).toMatch(/gone.bin, which is not beside it/);
    writeFileSync(join(folder, 'short.bin'), new Uint8Array(8));
    expect(await refusal(external('short.bin'))).toMatch(/short.bin has 8 bytes/);
    for (const location of ['../secret.bin', '/etc/hostname', 'a/../../secret.bin'])
      expect(await refusal(external(location))).toMatch(/outside (of its own|the model's) folder/);
    mkdirSync(join(folder, 'model'));
    writeFileSync(join(folder, 'secret.bin'), new Uint8Array(24));
    symlinkSync(join(folder, 'secret.bin'), join(folder, 'model/link.bin'));
    const path = join(folder, 'model/m.onnx');
    writeFileSync(
      path,
      encodeModel(matMul({ kind: 'external', location: 'link.bin', offset: 0, length: 24 })),
    );
    expect(await refusal(path)).toMatch(/outside of its own folder/);
  });

  it('of plans and adapters', async () => {
    const model = 'e2e/golden/oft/trajectory_mlp.onnx';
    const plan = (toml: string): string => written('bad.toml', new TextEncoder().encode(toml));
    expect(await refusal(model, '--plan', plan('block = { dim = 4 }'))).toBe(
      'block is not a known key. Did you mean blocks?',
    );
    expect(await refusal(model, '--plan', plan('blocks = { size = 7 }'))).toMatch(
      /does not divide|do not divide/,
    );
    expect(await refusal(model, '--plan', plan('[[rule]]\nmatch = {}\nskip = true'))).toMatch(
      /skipped by rules/,
    );
    expect(await refusal(model, '--adapter', 'e2e/golden/emoji/lycoris_dim4.safetensors')).toMatch(
      /No key .* belongs to a layer of this model.* The file is for a Stable Diffusion UNet/,
    );
    expect(await refusal(model, '--adapter', 'e2e/golden/emoji')).toMatch(/several safetensors files/);
    expect(await refusal(model, '--adapter', 'package.json')).toMatch(
      /package\.json is not an adapter: it seems to be a JSON file/,
    );
  });

  it('of sizes and tensors', async () => {
    const model = written('m.onnx', encodeModel(matMul()));
    const into = join(folder, 'o.safetensors');
    const from = (entries: [string, Tensor][]): string =>
      written('i.safetensors', writeSafetensors(new Map(entries)));
    expect(await refusal(model, '--bind', 'bach=2')).toMatch(
      /no input has a dimension of that name; did you mean batch\?/,
    );
    expect(await refusal(model, '--gradients', from([['input.z', x]]), into)).toMatch(/IN lacks input.x/);
    expect(await refusal(model, '--gradients', from([['input.x', x]]), into)).toMatch(
      /no cotangent of an output; it takes cotangent.y \[1,2\]/,
    );
    expect(
      await refusal(
        model,
        '--gradients',
        from([
          ['input.x', x],
          ['cotangent.y', x],
        ]),
        into,
      ),
    ).toMatch(/cotangent.y has shape \[1,3\], but \[1,2\]/);
    expect(await refusal(model, '--bind', 'batch=2', '--gradients', from([...small]), into)).toMatch(
      /batch is 2, but input.x has 1/,
    );
    expect(
      await refusal(model, '--gradients', from([['input.x', tensor('float32', [3], [1, 2, 3])]]), into),
    ).toMatch(/takes 2 axes/);
    expect(await refusal(model, '--gradients', from([...small]), join(folder, 'no/o.safetensors'))).toMatch(
      /cannot be written/,
    );
  });

  it('of command lines', async () => {
    expect(await refusal()).toMatch(/No model was named/);
    expect(await refusal('a.onnx', 'b.onnx')).toMatch(/One model/);
    expect(await refusal('a.onnx', '--gradient', 'x')).toMatch(/did you mean --gradients/);
    expect(await refusal('a.onnx', '--gradients', 'x')).toMatch(/takes two files/);
    expect(await refusal('a.onnx', '--strength', 'much')).toMatch(/not a number/);
    expect(await refusal('a.onnx', '--bind', 'batch')).toMatch(/NAME=VALUE/);
  });
});

it('is a command of its own', () => {
  const command = (...argv: string[]) =>
    spawnSync(process.execPath, [join(root, 'scripts/check.mjs'), ...argv], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, INIT_CWD: join(root, 'e2e/golden') },
    });
  const fine = command('zoo/mlp-ts14/model.onnx');
  expect([fine.status, fine.stderr]).toEqual([0, '']);
  expect(fine.stdout).toMatch(/3 of 3 layers adapted/);
  const bad = command('oft/README.md');
  expect(bad.status).toBe(2);
  expect(bad.stderr).toMatch(/^error: [^\n]+\n$/);
});

describe('OUT', () => {
  const model = 'e2e/golden/zoo/mlp-dyn20/model.onnx';

  it('is never a file that another made: the model, the inputs, an adapter, a text', async () => {
    const given = join(folder, 'given.safetensors');
    writeFileSync(given, readFileSync(join(root, 'e2e/golden/zoo/mlp-dyn20/golden.safetensors')));
    const copy = join(folder, 'copy.onnx');
    writeFileSync(copy, readFileSync(join(root, model)));
    const note = join(folder, 'note.txt');
    writeFileSync(note, 'mine');
    const adapter = join(folder, 'adapter.safetensors');
    const tensor: Tensor = { type: 'float32', shape: [1], data: Float32Array.of(1) };
    writeFileSync(adapter, writeSafetensors(new Map([['lycoris_x.oft_blocks', tensor]])));
    for (const out of [given, copy, note, adapter]) {
      const before = readFileSync(out);
      expect(await refusal(copy, '--gradients', given, out)).toMatch(/did not write; it is left as it is/);
      expect(readFileSync(out).equals(before)).toBe(true);
    }
  });

  it('may be what the command wrote before', async () => {
    const given = readSafetensors(
      new Uint8Array(readFileSync(join(root, 'e2e/golden/zoo/mlp-dyn20/golden.safetensors'))),
    ).tensors;
    const first = await gradients(model, asked(given));
    expect([...(await gradients(model, asked(given))).keys()]).toEqual([...first.keys()]);
  });
});
