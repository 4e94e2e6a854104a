/** @file A training program in a few lines: gradient descent with momentum on one vector, for tests of the loop. */
import type { TypedArray } from '#src/onnx/tensor.ts';
import { traceRows } from '#src/program/training.ts';
import type { Executable } from '#src/runtime/types.ts';

export interface FakeExecutable extends Executable {
  /** Reads asked for, run by run. */
  readonly reads: (readonly string[])[];
  disposed: boolean;
}

/**
 * Minimises ½‖θ − target‖². State: theta, m, grad_sum. Feeds: `target` and `schedule` [learning rate, apply]. Like the real program it leaves
 * an update out if the loss is not finite.
 */
export function fakeExecutable(size: number, accumulate: number): FakeExecutable {
  let state: Record<string, Float32Array> = {
    theta: new Float32Array(size),
    m: new Float32Array(size),
    grad_sum: new Float32Array(size),
    trace: new Float32Array(traceRows * 4),
  };
  const reads: (readonly string[])[] = [];
  return {
    reads,
    disposed: false,
    async run(feeds, wanted = []) {
      reads.push(wanted);
      const {
        theta,
        m,
        grad_sum: sum,
        trace,
      } = state as Record<'theta' | 'm' | 'grad_sum' | 'trace', Float32Array>;
      const target = feeds['target'] as Float32Array;
      const [rate, apply] = feeds['schedule'] as Float32Array;
      const own = theta.map((x, i) => x - target[i]!);
      const loss = own.reduce((s, d) => s + (d * d) / 2, 0);
      const finite = Number.isFinite(loss);
      const gradient = finite ? sum.map((s, i) => s + own[i]! / accumulate) : sum;
      const due = apply === 1;
      if (due && finite) {
        const next = m.map((x, i) => 0.9 * x + gradient[i]!);
        state = {
          theta: theta.map((x, i) => x - rate! * next[i]!),
          m: next,
          grad_sum: new Float32Array(size),
        };
      } else state = { theta, m, grad_sum: due ? new Float32Array(size) : gradient };
      const norm = Math.sqrt(gradient.reduce((s, x) => s + x * x, 0));
      const traced = Float32Array.from([...trace.subarray(4), loss, norm, Number(finite), norm / 1000]);
      state = { ...state, trace: traced };
      const all: Record<string, TypedArray> = { trace_next: traced.slice() };
      return Object.fromEntries(wanted.map((name) => [name, all[name]!]));
    },
    async readState() {
      return Object.fromEntries(Object.entries(state).map(([k, x]) => [k, x.slice()]));
    },
    async writeState(given) {
      state = Object.fromEntries(Object.entries(given).map(([k, x]) => [k, x.slice()]));
    },
    placement: () => ({ nodes: 0, elsewhere: [] }),
    async dispose() {
      this.disposed = true;
    },
  };
}
