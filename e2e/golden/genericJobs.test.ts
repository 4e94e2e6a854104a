/** @file The golden trajectories and the emoji fine-tune once more, as anybody could run them: arrays, a job file, `npm run tune`. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '#src/formats/files/safetensors.ts';
import { printToml } from '#src/formats/files/printToml.ts';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { noised } from './testing/emoji.ts';
import { expectNear, json, largest, type OftCase, tensors } from './testing/fixtures.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A browser is started for each. */
const TIMEOUT = 120_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotune-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (...names: string[]): string => join(folder, ...names);

interface Result {
  readonly losses: number[];
  readonly norms: number[];
  /** Of the adapter that was saved. */
  readonly adapter: ReadonlyMap<string, Tensor>;
}

async function tune(job: object, format: 'lycoris' | 'peft'): Promise<Result> {
  writeFileSync(at('job.toml'), printToml(job));
  await promisify(execFile)(
    process.execPath,
    [
      'scripts/tune.mjs',
      at('job.toml'),
      '--out',
      at('out'),
      '--backend',
      'wasm',
      '--threads',
      '1',
      '--format',
      format,
    ],
    { cwd: root, env: { ...process.env, INIT_CWD: root } },
  );
  const records = readFileSync(at('out/log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { step: number; loss: number; grad_norm: number; skipped?: boolean });
  expect(records.map((r) => r.step)).toEqual(records.map((_, i) => i));
  expect(records.filter((r) => r.skipped)).toEqual([]);
  const file = format === 'peft' ? 'out/peft/adapter_model.safetensors' : 'out/adapter.safetensors';
  return {
    losses: records.map((r) => r.loss),
    norms: records.map((r) => r.grad_norm),
    adapter: readSafetensors(readFileSync(at(file))).tensors,
  };
}

const saveArrays = (path: string, arrays: ReadonlyMap<string, Tensor>): void =>
  writeFileSync(at(path), writeSafetensors(arrays, new Map()));

interface Optimizer {
  readonly lr: number;
  readonly betas: [number, number];
  readonly eps: number;
  readonly weight_decay: number;
}

/** torch.optim.AdamW at a constant rate. */
const training = ({ lr, betas, eps, weight_decay }: Optimizer, steps: number, clip: number) => ({
  steps,
  batch: 1,
  learning_rate: lr,
  schedule: 'constant',
  warmup: 0,
  clip,
  weight_decay,
  betas,
  eps,
});

interface Trajectory extends OftCase {
  readonly net: 'mlp' | 'conv';
  readonly adapter: {
    readonly library: 'lycoris' | 'peft';
    readonly constraint?: number;
    readonly oft_block_size?: number;
    readonly use_cayley_neumann?: boolean;
  };
  readonly optimizer: Optimizer;
  readonly clip_grad_norm: { readonly max_norm: number | null };
}

const cases = (json('oft/cases.json') as Trajectory[]).filter((c) => c.kind === 'trajectory');
const kindOf = ({ name }: Trajectory): string => name.replace(/_(mlp|conv)_|_(free|clipped)$/g, '_');
const kinds = [...new Set(cases.map(kindOf))];
/** One adapter of each tool, one net clipped, the other free: a browser starts for each, and trajectory.test.ts holds the step itself to all. */
const few = cases.filter(({ name }) =>
  ['trajectory_mlp_diagoft_constraint_rescaled_free', 'trajectory_conv_peft_neumann_clipped'].includes(name),
);

/** The adapter as its tool saves it before the first step; the layers in it. */
function saveStart({ adapter }: Trajectory, data: ReadonlyMap<string, Tensor>): string[] {
  const start = new Map(
    [...data].flatMap(([key, t]) =>
      key.startsWith('initial.') ? [[key.slice('initial.'.length), t] as const] : [],
    ),
  );
  mkdirSync(at('start'));
  if (adapter.library === 'peft') {
    const layers = [...start.keys()].map((k) => k.replace(/^base_model\.model\.(.*)\.oft_R\.weight$/, '$1'));
    const config = {
      peft_type: 'OFT',
      r: 0,
      oft_block_size: adapter.oft_block_size,
      target_modules: layers,
      use_cayley_neumann: adapter.use_cayley_neumann ?? true,
      num_cayley_neumann_terms: 5,
    };
    writeFileSync(at('start/adapter_config.json'), JSON.stringify(config));
    saveArrays('start/adapter_model.safetensors', start);
    return layers;
  }
  const layers = [...start.keys()].flatMap((k) => /^lycoris_(.*)\.oft_blocks$/.exec(k)?.[1] ?? []);
  for (const layer of layers)
    start.set(`lycoris_${layer}.alpha`, tensor('float32', [], [adapter.constraint ?? 0]));
  saveArrays('start/adapter.safetensors', start);
  return layers;
}

describe('30 steps of the golden nets, as trajectory.test.ts holds them', () => {
  it('has the cases', () => {
    expect(cases.length).toBe(20);
    expect(kinds.length).toBe(5);
    for (const word of ['mlp', 'conv', 'free', 'clipped', 'peft', 'diagoft'])
      expect(few.some(({ name }) => name.includes(`_${word}`))).toBe(true);
  });

  it.each(depth(few, cases).map((c) => [c.name, c] as const))(
    '%s',
    async (_, c) => {
      const data = tensors(`oft/${c.file}`);
      const layers = saveStart(c, data);
      cpSync(fileURLToPath(new URL(`oft/trajectory_${c.net}.onnx`, import.meta.url)), at('model.onnx'));
      saveArrays(
        'batches.safetensors',
        new Map([
          ['x', data.get('x')!],
          ['y', data.get('y')!],
        ]),
      );
      const peft = c.adapter.library === 'peft';
      const { losses, norms, adapter } = await tune(
        {
          task: 'generic',
          model: 'model.onnx',
          adapter: 'start',
          options: { loss: c.net === 'mlp' ? 'mse' : 'cross_entropy', order: 'sequential' },
          data: { train: 'batches.safetensors', split: 0 },
          train: training(c.optimizer, 30, c.clip_grad_norm.max_norm ?? 0),
          plan: {
            ...(peft && { side: 'input' }),
            rule: [...layers.map((name) => ({ match: { name } })), { match: {}, skip: true }],
          },
        },
        c.adapter.library,
      );
      // Five draws of the rounding noise: see trajectory.test.ts.
      const allowed = (key: string, want: Tensor): number => 5 * c.f32_vs_f64[key]! + 1e-6 * largest(want);
      const near = (key: string, of: string, got: number[]): void => {
        const want = { ...data.get(key)!, shape: [30] };
        expectNear(key, tensor('float64', [30], got), want, allowed(of, want));
      };
      near('expected.losses', 'expected.losses', losses);
      near('expected.losses_float64', 'expected.losses', losses);
      near('expected.grad_norms', 'expected.grad_norms', norms);
      const finals = [...data].filter(([key]) => key.startsWith('expected.final.'));
      expect(finals.length).toBeGreaterThanOrEqual(layers.length);
      for (const [key, want] of finals) {
        const saved = numbersOf(adapter.get(key.slice('expected.final.'.length))!);
        const n = numbersOf(want).length;
        expectNear(key, tensor('float32', want.shape, saved.slice(0, n)), want, allowed(key, want));
        // Blocks that are larger than they are many are saved as BOFT's first stage: LyCORIS could not reload them.
        expect(saved.slice(n).every((x) => x === 0)).toBe(true);
      }
    },
    TIMEOUT,
  );
});

interface EmojiGolden {
  readonly trajectory: {
    readonly steps: number;
    readonly optimizer: Optimizer;
    readonly clip_norm: number;
    readonly float32: { readonly loss: number[]; readonly grad_norm: number[] };
    readonly float64: { readonly loss: number[]; readonly grad_norm: number[] };
  };
}

const byCommand = (): void => {
  it(
    'fine-tunes the emoji model on arrays as PyTorch and LyCORIS do, as emoji.test.ts holds it',
    async () => {
      const { steps, optimizer, clip_norm, float32, float64 } = (json('emoji/golden.json') as EmojiGolden)
        .trajectory;
      const batches = tensors('emoji/trajectory_batches.safetensors');
      const rows = (name: string): Float32Array[] => {
        const { data } = batches.get(name)!;
        const n = data.length / steps;
        return Array.from({ length: steps }, (_, i) => data.slice(i * n, (i + 1) * n) as Float32Array);
      };
      const times = numbersOf(batches.get('timestep')!);
      const [clean, noise] = [rows('x0'), rows('noise')];
      const pairs = clean.map((x0, i) => noised(x0, noise[i]!, times.slice(2 * i, 2 * i + 2)));
      const stacked = (parts: readonly Float32Array[], shape: readonly number[]): Tensor =>
        tensor(
          'float32',
          [steps, ...shape],
          parts.flatMap((p) => [...p]),
        );
      saveArrays(
        'batches.safetensors',
        new Map([
          [
            'sample',
            stacked(
              pairs.map((p) => p.sample),
              [2, 3, 32, 32],
            ),
          ],
          [
            'target',
            stacked(
              pairs.map((p) => p.target),
              [2, 3, 32, 32],
            ),
          ],
          ['timestep', tensor('int64', [steps, 2], times)],
          ['encoder_hidden_states', stacked(rows('encoder_hidden_states'), [2, 12, 96])],
        ]),
      );
      const { losses, norms, adapter } = await tune(
        {
          task: 'generic',
          model: fileURLToPath(new URL('../../public/models/emoji/unet', import.meta.url)),
          options: { loss: 'mse', order: 'sequential' },
          data: { train: 'batches.safetensors', split: 0 },
          train: training(optimizer, steps, clip_norm),
          plan: { blocks: { dim: 4 } },
        },
        'lycoris',
      );
      // The gap between PyTorch's own two lists says what is honest; a few times that, as kernels differ.
      const near = (what: string, got: number[], list: (t: typeof float32) => number[]): void => {
        const gap = Math.max(...list(float32).map((x, k) => Math.abs(x / list(float64)[k]! - 1)));
        expect(got).toHaveLength(steps);
        got.forEach((x, i) =>
          expect(Math.abs(x / list(float64)[i]! - 1), `${what} at step ${i + 1}`).toBeLessThan(
            10 * gap + 1e-6,
          ),
        );
      };
      near('loss', losses, (t) => t.loss);
      near('grad_norm', norms, (t) => t.grad_norm);
      let [apart, whole] = [0, 0];
      const final = [...tensors('emoji/trajectory_final.safetensors')].filter(([k]) =>
        k.endsWith('.oft_blocks'),
      );
      expect(final).toHaveLength(133);
      for (const [key, want] of final) {
        const got = numbersOf(adapter.get(key)!);
        numbersOf(want).forEach((x, n) => {
          apart += (x - got[n]!) ** 2;
          whole += x * x;
        });
      }
      expect(Math.sqrt(apart / whole), 'relative distance of all parameters').toBeLessThan(1e-4);
    },
    TIMEOUT,
  );
};
// Half a minute in a browser; emoji.test.ts holds the same step.
if (depth(false, true)) byCommand();
