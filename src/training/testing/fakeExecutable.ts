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
 * Minimises the mean of ½‖θ − target‖². State: theta, m, grad_sum, loss_totals. Feeds: `target` and `schedule` [learning rate, apply]. Like the real
 * program it tells of all micro-batches so far together, and leaves an update out if its loss is not finite.
 */
export function fakeExecutable(size: number): FakeExecutable {
  let state: Record<string, Float32Array> = {
    theta: new Float32Array(size),
    m: new Float32Array(size),
    grad_sum: new Float32Array(size),
    loss_totals: new Float32Array(2),
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
        loss_totals: totals,
        trace,
      } = state as Record<'theta' | 'm' | 'grad_sum' | 'loss_totals' | 'trace', Float32Array>;
      const target = feeds['target'] as Float32Array;
      const [rate, apply] = feeds['schedule'] as Float32Array;
      const own = theta.map((x, i) => x - target[i]!);
      const lossSum = totals[0]! + own.reduce((s, d) => s + (d * d) / 2, 0);
      const count = totals[1]! + 1;
      const loss = lossSum / count;
      const finite = Number.isFinite(loss);
      const gradSum = sum.map((s, i) => s + own[i]!);
      const gradient = gradSum.map((x) => x / count);
      const due = apply === 1;
      const next = due && finite ? m.map((x, i) => 0.9 * x + gradient[i]!) : m;
      state = {
        theta: due && finite ? theta.map((x, i) => x - rate! * next[i]!) : theta,
        m: next,
        grad_sum: due ? new Float32Array(size) : gradSum,
        loss_totals: due ? new Float32Array(2) : Float32Array.of(lossSum, count),
      };
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
      state = { ...state, ...Object.fromEntries(Object.entries(given).map(([k, x]) => [k, x.slice()])) };
    },
    placement: () => ({ nodes: 0, elsewhere: [] }),
    async dispose() {
      this.disposed = true;
    },
  };
}
