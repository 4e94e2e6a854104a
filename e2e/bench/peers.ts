/**
 * @file `npm run bench -- peers [rounds]`: the same training step on other libraries, in this process on one thread of WebAssembly, in turn with ours; and in Python where peers.py finds its
 * packages. The libraries are no part of Rotune: npm puts them in .cache/peers the first time.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, runProgram } from '../../scripts/ensure.mjs';
import { jaxJs, type Jax } from './peers/jax.ts';
import { ours } from './peers/ours.ts';
import { hasPython, inPython, pythonVersions } from './peers/python.ts';
import { type Outcome, type Peer, type Problem, problems } from './peers/problem.ts';
import { type Tf, tfjs } from './peers/tfjs.ts';
import { here, record, table } from './record.ts';
import { inTurn, processorTime, ratioOf, type Spread, spreadOf } from './timing.ts';

const FOLDER = join(ROOT, '.cache/peers');
const PACKAGES = ['@tensorflow/tfjs@4.22.0', '@tensorflow/tfjs-backend-wasm@4.22.0', '@jax-js/jax@0.1.25'];

const versionIn = (name: string): string => {
  const { version } = createRequire(import.meta.url)(join(FOLDER, 'node_modules', name, 'package.json')) as {
    version: string;
  };
  return version;
};

async function install(): Promise<void> {
  if (PACKAGES.every((p) => existsSync(join(FOLDER, 'node_modules', p.slice(0, p.lastIndexOf('@')))))) return;
  const args = ['install', '--no-save', '--no-fund', '--no-audit', '--prefix', FOLDER, ...PACKAGES];
  if ((await runProgram('npm', args)) !== 0) throw new Error('npm could not install the peers; see above.');
}

async function loadTf(): Promise<Tf> {
  const require = createRequire(join(FOLDER, 'package.json'));
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
  wasm.setWasmPaths(`${join(FOLDER, 'node_modules/@tensorflow/tfjs-backend-wasm/dist')}/`);
  return require('@tensorflow/tfjs') as Tf;
}

const loadJax = async (): Promise<Jax> => {
  const file = join(FOLDER, 'node_modules/@jax-js/jax/dist/index.js');
  return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Jax;
};

export interface PeerRow {
  readonly problem: string;
  readonly peer: string;
  /** Milliseconds of processor time. */
  readonly forward: Spread | null;
  readonly step: Spread | null;
  /** The peer's step ÷ the frozen forward pass on ONNX Runtime, the same round's: Web's for what runs on WebAssembly, the native one's for what runs in Python. */
  readonly ratio: Spread | null;
  readonly loss: number | null;
  readonly norm: number | null;
}

/** Peers that take longer for a step are run fewer times, apart from the others. */
const SLOW = 2000;
const fewRounds = 2;

async function measure(problem: Problem, peers: readonly Peer[], rounds: number): Promise<PeerRow[]> {
  const rows = new Map<Peer, PeerRow>();
  const slow: Peer[] = [];
  const outcomes = new Map<Peer, Outcome>();
  for (const peer of peers) {
    outcomes.set(peer, await peer.outcome());
    const began = processorTime();
    await peer.step.run();
    const took = processorTime() - began;
    console.error(`${problem.name}: ${peer.name}, ${took.toFixed(0)} ms`);
    if (took > SLOW) slow.push(peer);
  }
  const base = peers[0]!;
  for (const [group, times] of [
    [peers.filter((p) => !slow.includes(p)), rounds],
    [slow.length > 0 ? [base, ...slow] : [], fewRounds],
  ] as const) {
    const all = await inTurn(
      group.flatMap(({ forward, step }) => [forward, step]),
      times,
    );
    group.forEach((peer, i) => {
      if (rows.has(peer)) return;
      const [forward, step] = [all[2 * i]!, all[2 * i + 1]!];
      rows.set(peer, {
        problem: problem.name,
        peer: peer.name,
        ...outcomes.get(peer)!,
        forward: spreadOf(forward),
        step: spreadOf(step),
        ratio: ratioOf(step, all[0]!),
      });
    });
  }
  return peers.map((peer) => rows.get(peer)!);
}

/** Those of Python: a row for each step, and for each forward pass. */
async function measurePython(problem: Problem, rounds: number): Promise<PeerRow[]> {
  const peers = await inPython(problem, rounds);
  const base = peers[0]!.times;
  return peers.map(({ peer, loss, norm, times }) => {
    const step = /\bstep\b/.test(peer);
    return {
      problem: problem.name,
      peer,
      forward: step ? null : spreadOf(times),
      step: step ? spreadOf(times) : null,
      ratio: ratioOf(times, base),
      loss,
      norm,
    };
  });
}

/** Of jax-js. With convolutions its jit takes over a minute a step, and rotated weights twice as long as rotated outputs. */
const variants = ({ x }: Problem): (readonly ['weights' | 'outputs', boolean])[] =>
  x.shape.length === 2
    ? [
        ['weights', true],
        ['outputs', true],
        ['outputs', false],
      ]
    : [['outputs', false]];

const number = (x: number | undefined): string => (x === undefined ? '–' : x.toFixed(x < 100 ? 1 : 0));

const cells = (r: PeerRow): string[] => [
  r.problem,
  r.peer,
  number(r.forward?.median),
  number(r.step?.median),
  r.ratio ? `**${r.ratio.median.toFixed(2)}** (${r.ratio.low.toFixed(2)}–${r.ratio.high.toFixed(2)})` : '–',
  r.loss === null || r.norm === null ? '–' : `${r.loss.toPrecision(5)}, ${r.norm.toPrecision(4)}`,
];

export async function main(rounds = 9): Promise<void> {
  await install();
  const [tf, jax] = [await loadTf(), await loadJax()];
  const rows: PeerRow[] = [];
  for (const problem of problems()) {
    const own = await ours(problem);
    // ONNX Runtime lends Node a Worker, from which jax-js would take that it is in a browser, and share memory that it made unshared.
    Reflect.deleteProperty(globalThis, 'Worker');
    const peers = [own];
    for (const [turns, compiled] of variants(problem)) peers.push(await jaxJs(jax, problem, turns, compiled));
    peers.push(await tfjs(tf, 'wasm', problem));
    rows.push(...(await measure(problem, peers, rounds)));
    if (hasPython()) rows.push(...(await measurePython(problem, rounds)));
    else console.error('No Python environment: `npm run parity -- --environment` makes it.');
  }
  const versions = Object.fromEntries(
    ['@tensorflow/tfjs', '@jax-js/jax'].map((name) => [name, versionIn(name)]),
  );
  await record(
    'peers',
    here({ ...versions, ...(hasPython() && pythonVersions()) }),
    { rounds, rows },
    table(
      ['Step', 'Library', 'Forward, ms', 'Step, ms', 'Step ÷ ONNX Runtime’s forward', 'Loss, gradient norm'],
      rows.map(cells),
    ),
  );
}
