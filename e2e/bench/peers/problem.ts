/** @file One training step that every peer takes: frozen layers with ReLU between them, an exact Cayley rotation of each output, mean squared error, AdamW. */
import type { Graph } from '#src/graph/types.ts';
import { sizeOf, tensorOf } from '#src/onnx/tensor.ts';
import { squaredError } from '#src/program/testing/steps.ts';
import type { Program } from '#src/program/types.ts';
import type { Tensors } from '#src/tasks/types.ts';
import { planAll, programOf } from '#src/program/testing/steps.ts';
import { convNet, mlp } from '../networks.ts';
import type { Timed } from '../timing.ts';

export interface Numbers {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

export interface Problem {
  readonly name: string;
  readonly forward: Graph;
  readonly step: Program;
  /** [out, in] or [out, in, 3, 3], and the bias behind the rotation. */
  readonly layers: readonly { readonly weight: Numbers; readonly bias: Numbers; readonly blocks: number }[];
  /** Width of every block. */
  readonly size: number;
  readonly x: Numbers;
  readonly target: Numbers;
  /** [blocks of all layers, size, size]; Q = θ − θᵀ. */
  readonly theta: Numbers;
  /** Learning rate, and AdamW's corrections of the first step. */
  readonly schedule: Float32Array;
}

/** What a peer computes in one step from the problem's numbers: to tell whether all do the same. */
export interface Outcome {
  readonly loss: number;
  /** Before clipping to 1. */
  readonly norm: number;
}

export interface Peer {
  readonly name: string;
  readonly forward: Timed;
  readonly step: Timed;
  outcome(): Promise<Outcome>;
}

export const optimiser = { beta1: 0.9, beta2: 0.99, eps: 1e-8, clip: 1 };
export const newtonRounds = 10;

const wave = (shape: readonly number[], scale: number, phase: number): Numbers => ({
  shape,
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(i * 12.9898 + phase)),
});

function problem(name: string, forward: Graph, size: number): Problem {
  const settings = { blocks: { size } };
  const numbers = (constant: string): Numbers => {
    const { shape, data } = tensorOf(forward.constants.get(constant)!);
    return { shape, data: data as Float32Array };
  };
  const layers = planAll(forward, settings).map(({ layer, count }) => ({
    weight: numbers(`${layer.path}.weight`),
    bias: numbers(`${layer.path}.bias`),
    blocks: count,
  }));
  const all = layers.reduce((sum, { blocks }) => sum + blocks, 0);
  return {
    name,
    forward,
    step: programOf(forward, settings, squaredError),
    layers,
    size,
    x: wave(forward.inputs[0]!.shape, 0.5, 1),
    target: wave(forward.outputs[0]!.shape, 0.5, 2),
    theta: wave([all, size, size], 0.01, 3),
    schedule: Float32Array.of(5e-3, 10, 10, 1),
  };
}

export const problems = (): Problem[] => [
  problem('MLP 256-1024-1024-256, batch 64, b = 32', mlp(64), 32),
  problem('Conv net 3-32-64-64, 32², batch 16, b = 8', convNet(16), 8),
];

/** What the step graph is fed with. */
export const stepFeeds = ({ x, target, theta, schedule }: Problem): Tensors => ({
  x: x.data,
  target: target.data,
  theta: theta.data,
  schedule,
});
