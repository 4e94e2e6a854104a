/**
 * @file The step on jax-js, with automatic differentiation, and `jit` around the whole step or none. Its own inverse of matrices cannot be compiled by its `jit` ("routine primitive
 * triangular_solve input is not imm", 0.1.25), so it is given our rounds. Every use of an array but the last takes `.ref` of it: functions own what they are given.
 */
import { newtonRounds, type Peer, type Problem, optimiser } from './problem.ts';

interface A {
  readonly ref: A;
  readonly shape: number[];
  add(o: A | number): A;
  sub(o: A | number): A;
  mul(o: A | number): A;
  div(o: A | number): A;
  reshape(shape: readonly number[]): A;
  slice(...ranges: (readonly [] | readonly [number, number])[]): A;
  sum(axes?: number[], options?: { keepdims: boolean }): A;
  mean(): A;
  data(): Promise<Float32Array>;
  dispose(): void;
}

type Step = (...given: A[]) => A[];

/** What is used of @jax-js/jax. */
export interface Jax {
  init(device: string): Promise<unknown>;
  defaultDevice(device: string): unknown;
  jit(f: Step): Step;
  valueAndGrad(f: (...given: A[]) => A): (...given: A[]) => [A, A];
  readonly numpy: {
    array(data: Float32Array): A;
    zerosLike(x: A): A;
    eye(n: number): A;
    matmul(a: A, b: A): A;
    matrixTranspose(a: A): A;
    transpose(a: A, axes?: readonly number[]): A;
    sqrt(a: A): A;
    square(a: A): A;
    reciprocal(a: A): A;
    minimum(a: A | number, b: A | number): A;
  };
  readonly nn: { relu(a: A): A };
  readonly lax: { conv(x: A, w: A, strides: number[], padding: string): A; stopGradient(a: A): A };
}

/** @param turns which of a layer's two sides is rotated: its weight once, or all its outputs */
export async function jaxJs(
  { init, defaultDevice, jit, valueAndGrad, numpy: np, nn, lax }: Jax,
  problem: Problem,
  turns: 'weights' | 'outputs',
  compiled: boolean,
): Promise<Peer> {
  await init('wasm');
  defaultDevice('wasm');
  const { size, layers } = problem;
  const conv = problem.x.shape.length === 4;
  const array = ({ data, shape }: { data: Float32Array; shape: readonly number[] }): A =>
    np.array(data).reshape(shape);
  const [x, target] = [array(problem.x), array(problem.target)];
  const frozen = layers.flatMap(({ weight, bias }) => [
    array(weight),
    conv ? array(bias).reshape([bias.shape[0]!, 1, 1]) : array(bias),
  ]);
  const state = [problem.theta, problem.theta, problem.theta].map(array);
  state[1] = np.zerosLike(state[1]!);
  state[2] = np.zerosLike(state[2]!);

  const apply = (h: A, w: A): A =>
    conv ? lax.conv(h, w, [1, 1], 'SAME') : np.matmul(h, np.matrixTranspose(w));
  /** Rows of blocks [n, size, …] times the transposed rotations. */
  const turn = (blocks: A, own: A): A => np.matmul(np.matrixTranspose(own), blocks);
  /** By one product of each block with all its rows at once: products of stacks that differ in rank come out wrong (0.1.25). */
  const turnOutputs = (y: A, own: A, n: number): A => {
    const [batch, , ...sides] = y.shape as [number, number, ...number[]];
    const pixels = sides.reduce((p, side) => p * side, 1);
    const columns = np.transpose(y.reshape([batch, n, size, pixels]), [1, 2, 0, 3]);
    const turned = turn(columns.reshape([n, size, batch * pixels]), own).reshape([n, size, batch, pixels]);
    return np.transpose(turned, [2, 0, 1, 3]).reshape([batch, n * size, ...sides]);
  };
  const network = (start: A, given: readonly A[], rotations: A | null): A => {
    let h = start;
    let first = 0;
    layers.forEach(({ weight, blocks }, i) => {
      const own = rotations?.ref.slice([first, first + blocks], [], []);
      let w = given[2 * i]!;
      if (own && turns === 'weights') w = turn(w.reshape([blocks, size, -1]), own).reshape(weight.shape);
      let y = apply(h, w);
      if (own && turns === 'outputs') y = turnOutputs(y, own, blocks);
      h = y.add(given[2 * i + 1]!);
      if (i < layers.length - 1) h = nn.relu(h);
      first += blocks;
    });
    rotations?.dispose();
    return h;
  };
  /** M = (I − Q)⁻¹ by Newton and Schulz; then M + M(Q − Q)M, the second Q alone held still, has M's value and gradient at the price of two products. */
  const inverse = (q: A): A => {
    const still = lax.stopGradient(q.ref);
    const a = np.eye(size).sub(still.ref);
    const s = np.square(still.ref).sum([1, 2], { keepdims: true }).mul(0.5);
    let m = np.matrixTranspose(a.ref).div(s.add(1));
    for (let i = 0; i < newtonRounds; i++)
      m = m.ref.add(np.matmul(m, np.eye(size).sub(np.matmul(a.ref, m.ref))));
    a.dispose();
    return m.ref.add(np.matmul(np.matmul(m.ref, q.sub(still)), m));
  };
  const loss = (theta: A, start: A, wanted: A, ...given: A[]): A => {
    const q = theta.ref.sub(np.matrixTranspose(theta));
    const c = inverse(q).mul(2).sub(np.eye(size));
    return np.square(network(start, given, c).sub(wanted)).mean();
  };
  const { beta1, beta2, eps, clip } = optimiser;
  const [rate, c1, c2] = problem.schedule as unknown as [number, number, number];
  const step: Step = (theta, m, v, ...given) => {
    const [value, grad] = valueAndGrad(loss)(theta.ref, ...given);
    const norm = np.sqrt(np.square(grad.ref).sum());
    const g = grad.mul(np.minimum(np.reciprocal(norm.ref.add(1e-6)).mul(clip), 1));
    const m2 = m.mul(beta1).add(g.ref.mul(1 - beta1));
    const v2 = v.mul(beta2).add(np.square(g).mul(1 - beta2));
    const change = m2.ref.mul(rate * c1).div(np.sqrt(v2.ref).mul(c2).add(eps));
    return [value, norm, theta.sub(change), m2, v2];
  };
  const forward: Step = (start, ...given) => [network(start, given, null)];
  const [run, runForward] = compiled ? [jit(step), jit(forward)] : [step, forward];
  const refs = (): A[] => frozen.map((a) => a.ref);
  const stepped = (): A[] => run(...state.map((a) => a.ref), x.ref, target.ref, ...refs());
  return {
    name: `jax-js, wasm, ${compiled ? 'jit' : 'eager'}, rotates ${turns}`,
    forward: { run: async () => void (await runForward(x.ref, ...refs())[0]!.data()) },
    step: {
      run: async () => {
        const [value, norm, ...next] = stepped();
        norm!.dispose();
        next.forEach((a, i) => {
          state[i]!.dispose();
          state[i] = a;
        });
        // What is computed is only fetched when somebody asks for it.
        await Promise.all([...state.map((a) => a.ref.data()), value!.data()]);
      },
    },
    async outcome() {
      const [value, norm, ...next] = stepped();
      for (const a of next) a.dispose();
      return { loss: (await value!.data())[0]!, norm: (await norm!.data())[0]! };
    },
  };
}
