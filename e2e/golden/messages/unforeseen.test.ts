/** @file What was thrown by mistake, by the engine or by the runtime: its own words are shown nowhere but among the details. */
import { describe, expect, it } from 'vitest';
import { toProblem } from '#src/app/worker/problems.ts';
import { runtimeError } from '#src/runtime/errors.ts';
import { problemOf } from '#workers/trainer/problems.ts';
import { expectShown } from './drive.ts';
import { fault } from './plain.ts';

describe('what nobody foresaw', () => {
  it.each([
    new TypeError("Cannot read properties of undefined (reading 'shape')"),
    new RangeError('Maximum call stack size exceeded'),
    new Error('x is not a function'),
    'a string',
    undefined,
  ])('%s is wrapped in a sentence, with its own words behind', (thrown) => {
    for (const problem of [problemOf(thrown), toProblem(thrown)]) {
      expect(problem.code).toBe('internal');
      expectShown(problem, String(thrown));
      const own = thrown instanceof Error ? thrown.message : String(thrown);
      expect(problem.message).not.toContain(own);
      expect(problem.detail).toContain(own);
    }
  });

  it.each([
    new RangeError('Array buffer allocation failed'),
    new RangeError('Invalid typed array length: 99999999999'),
    new Error('failed to call OrtRun(). ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc'),
    new Error('Aborted(OOM)'),
    new Error('Out of memory'),
    new Error('Failed to allocate memory for buffer.'),
    new WebAssembly.RuntimeError('memory access out of bounds'),
  ])('%s is called what it is: not enough memory', (thrown) => {
    expect(problemOf(thrown).code).toBe('out-of-memory');
    const problem = problemOf(runtimeError(thrown, 'run', 'The run'));
    expect(problem.code).toBe('out-of-memory');
    expect(fault(problem.message)).toBeNull();
  });

  it('what the runtime says stays behind', () => {
    const thrown = new Error('Can’t create a session. ERROR_CODE: 1, ERROR_MESSAGE: Node (x) Op (y) failed');
    for (const phase of ['session', 'run'] as const) {
      const problem = problemOf(runtimeError(thrown, phase, 'The computation "step"'));
      expect(fault(problem.message), problem.message).toBeNull();
      expect(problem.detail).toContain('ERROR_CODE');
    }
  });
});
