/**
 * @file The step on TensorFlow.js. It has no inverse of matrices, so the Cayley transform is given the same rounds and the same gradient rule as ours. Its WebAssembly backend has no
 * gradient of convolution weights: outputs are rotated, not weights. Pictures lie with their channels last.
 */
import { type Numbers, type Peer, type Problem, newtonRounds, optimiser } from './problem.ts';

interface T {
  readonly shape: number[];
  add(o: T | number): T;
  sub(o: T | number): T;
  mul(o: T | number): T;
  div(o: T | number): T;
  sqrt(): T;
  square(): T;
  relu(): T;
  mean(): T;
  sum(axes?: number[], keep?: boolean): T;
  reshape(shape: readonly number[]): T;
  transpose(perm?: readonly number[]): T;
  slice(begin: readonly number[], size: readonly number[]): T;
  data(): Promise<Float32Array>;
  dispose(): void;
}

type Saved = (kept: T[]) => void;

/** What is used of @tensorflow/tfjs. */
export interface Tf {
  readonly version_core: string;
  tensor(data: Float32Array, shape: readonly number[]): T;
  eye(n: number): T;
  zerosLike(x: T): T;
  minimum(a: number, b: T): T;
  div(a: number, b: T): T;
  matMul(a: T, b: T, transposeA?: boolean, transposeB?: boolean): T;
  conv2d(x: T, w: T, strides: number, pad: 'same'): T;
  customGrad(f: (q: T, save: Saved) => { value: T; gradFunc: (dy: T, saved: T[]) => T[] }): (q: T) => T;
  valueAndGrad(f: (theta: T) => T): (theta: T) => { value: T; grad: T };
  tidy<R>(make: () => R): R;
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  ready(): Promise<void>;
}

/** C = 2(I − Q)⁻¹ − I of all blocks, by Newton and Schulz. */
const cayleyOf = (tf: Tf, size: number) =>
  tf.customGrad((q, save) => {
    const eye = tf.eye(size);
    const a = eye.sub(q);
    const s = q.square().sum([1, 2], true).mul(0.5);
    let m = a.transpose([0, 2, 1]).div(s.add(1));
    for (let i = 0; i < newtonRounds; i++) m = m.add(tf.matMul(m, eye.sub(tf.matMul(a, m))));
    save([m]);
    return {
      value: m.mul(2).sub(eye),
      gradFunc: (dy, [kept]) => [tf.matMul(tf.matMul(kept!, dy, true), kept!, false, true).mul(2)],
    };
  });

export async function tfjs(tf: Tf, backend: string, problem: Problem): Promise<Peer> {
  await tf.setBackend(backend);
  await tf.ready();
  const conv = problem.x.shape.length === 4;
  /** Channels last, as its convolutions want them. */
  const placed = ({ data, shape }: Numbers, perm: readonly number[]): T =>
    conv ? tf.tensor(data, shape).transpose(perm) : tf.tensor(data, shape);
  const x = placed(problem.x, [0, 2, 3, 1]);
  const target = placed(problem.target, [0, 2, 3, 1]);
  const layers = problem.layers.map(({ weight, bias, blocks }) => ({
    weight: conv ? placed(weight, [2, 3, 1, 0]) : tf.tensor(weight.data, weight.shape).transpose(),
    bias: tf.tensor(bias.data, bias.shape),
    blocks,
  }));
  const { size } = problem;
  const cayley = cayleyOf(tf, size);
  let theta = tf.tensor(problem.theta.data, problem.theta.shape);
  let m = tf.zerosLike(theta);
  let v = tf.zerosLike(theta);

  const network = (turn: (y: T, first: number, blocks: number) => T): T => {
    let h = x;
    let first = 0;
    layers.forEach(({ weight, bias, blocks }, i) => {
      const y = conv ? tf.conv2d(h, weight, 1, 'same') : tf.matMul(h, weight);
      h = turn(y, first, blocks).add(bias);
      if (i < layers.length - 1) h = h.relu();
      first += blocks;
    });
    return h;
  };
  const loss = (numbers: T): T => {
    const turned = cayley(numbers.sub(numbers.transpose([0, 2, 1])));
    const y = network((h, first, blocks) => {
      const columns = h.reshape([-1, blocks, size]).transpose([1, 0, 2]);
      const own = turned.slice([first, 0, 0], [blocks, size, size]);
      return tf.matMul(columns, own).transpose([1, 0, 2]).reshape(h.shape);
    });
    return y.sub(target).square().mean();
  };
  const gradient = (): { value: T; grad: T; norm: T } => {
    const { value, grad } = tf.valueAndGrad(loss)(theta);
    return { value, grad, norm: grad.square().sum().sqrt() };
  };
  const { beta1, beta2, eps, clip } = optimiser;
  const [rate, c1, c2] = problem.schedule as unknown as [number, number, number];

  return {
    name: `TensorFlow.js, ${tf.getBackend()}`,
    forward: {
      run: async () => {
        const y = tf.tidy(() => network((h) => h));
        await y.data();
        y.dispose();
      },
    },
    step: {
      run: async () => {
        const next = tf.tidy(() => {
          const { value, grad, norm } = gradient();
          const g = grad.mul(tf.minimum(1, tf.div(clip, norm.add(1e-6))));
          const m2 = m.mul(beta1).add(g.mul(1 - beta1));
          const v2 = v.mul(beta2).add(g.square().mul(1 - beta2));
          return {
            value,
            theta: theta.sub(m2.mul(rate * c1).div(v2.sqrt().mul(c2).add(eps))),
            m: m2,
            v: v2,
          };
        });
        for (const old of [theta, m, v]) old.dispose();
        ({ theta, m, v } = next);
        await next.value.data();
        next.value.dispose();
      },
    },
    async outcome() {
      const { value, norm } = tf.tidy(gradient);
      return { loss: (await value.data())[0]!, norm: (await norm.data())[0]! };
    },
  };
}
