/** @file The step in Python: what peers.py measures of LyCORIS, PEFT and native ONNX Runtime, in the environment of the parity checks. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import { type Tensor, tensor } from '#src/onnx/tensor.ts';
import { ROOT } from '../../../scripts/ensure.mjs';
import { graphBytes, problemFeeds } from './ours.ts';
import type { Outcome, Problem } from './problem.ts';

/** `npm run parity -- --environment` makes it. */
const PYTHON = join(
  ROOT,
  '.cache/parity/venv',
  process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python',
);

export interface PythonPeer {
  readonly peer: string;
  readonly loss: Outcome['loss'] | null;
  readonly norm: Outcome['norm'] | null;
  /** Milliseconds of processor time. */
  readonly times: readonly number[];
}

export const hasPython = (): boolean => existsSync(PYTHON);

/** Versions of the packages that are compared. */
export function pythonVersions(): Record<string, string> {
  const names = ['torch', 'lycoris-lora', 'peft', 'onnxruntime'];
  const code = `import json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in ${JSON.stringify(names)}}))`;
  return JSON.parse(spawnSync(PYTHON, ['-c', code], { encoding: 'utf8' }).stdout) as Record<string, string>;
}

async function write(folder: string, problem: Problem): Promise<void> {
  const step = problem.step.stages[0]!.graph;
  writeFileSync(join(folder, 'problem.json'), JSON.stringify({ name: problem.name, size: problem.size }));
  writeFileSync(join(folder, 'forward.onnx'), graphBytes(problem.forward));
  writeFileSync(join(folder, 'step.onnx'), graphBytes(step));
  const tensors = new Map<string, Tensor>();
  for (const graph of [problem.forward, step])
    for (const [name, { data, dims }] of Object.entries(await problemFeeds(graph, problem)))
      tensors.set(name, tensor('float32', [...dims], Array.from(data as Float32Array)));
  problem.layers.forEach(({ weight, bias }, i) => {
    tensors.set(`weight.${i}`, { type: 'float32', ...weight });
    tensors.set(`bias.${i}`, { type: 'float32', ...bias });
  });
  writeFileSync(join(folder, 'feeds.safetensors'), writeSafetensors(tensors));
}

export async function inPython(problem: Problem, rounds: number): Promise<PythonPeer[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rotune-peers-'));
  try {
    await write(folder, problem);
    const { status, stdout, stderr } = spawnSync(
      PYTHON,
      [join(ROOT, 'e2e/bench/peers.py'), folder, String(rounds)],
      { encoding: 'utf8', env: { ...process.env, OMP_NUM_THREADS: '1' } },
    );
    if (status !== 0) throw new Error(`peers.py failed: ${stderr}`);
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as PythonPeer[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
