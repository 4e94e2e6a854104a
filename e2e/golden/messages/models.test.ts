/** @file Models that are whole and make no sense, as the inspector looks at them. Damaged ones are the fuzzers' (e2e/fuzz). */
import { describe, it } from 'vitest';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Model } from '#src/onnx/model.ts';
import { graphOf, model, n, ramp, value } from '#src/ops/testing/models.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { inspect } from '#workers/inspection/inspect.ts';
import { expectShown } from './drive.ts';

/** Looks at a model; every problem must be shown as it should be. */
async function inspected(bytes: Uint8Array): Promise<void> {
  const { models } = await inspect(memoryFiles({ 'model.onnx': bytes }));
  for (const m of models)
    for (const problem of m.kind === 'refused' ? [m.problem] : m.problems) expectShown(problem, m.path);
}

describe('the inspector', () => {
  it.each<[string, Model]>([
    [
      'two inputs of one name',
      model(
        graphOf(
          [n('Add', ['x', 'x'], ['y'])],
          {},
          [value('x', 'float32', [2]), value('x', 'float32', [2])],
          ['y'],
        ),
      ),
    ],
    [
      'a node that makes an input anew',
      model(
        graphOf([n('Relu', ['x'], ['x']), n('Relu', ['x'], ['y'])], {}, [value('x', 'float32', [2])], ['y']),
      ),
    ],
    [
      'a node that makes a weight anew',
      model(
        graphOf(
          [n('Relu', ['x'], ['w']), n('Add', ['w', 'x'], ['y'])],
          { w: ramp(2) },
          [value('x', 'float32', [2])],
          ['y'],
        ),
      ),
    ],
    [
      'an output that nothing makes',
      model(graphOf([n('Relu', ['x'], ['y'])], {}, [value('x', 'float32', [2])], ['z'])),
    ],
    [
      'an output twice',
      model(graphOf([n('Relu', ['x'], ['y'])], {}, [value('x', 'float32', [2])], ['y', 'y'])),
    ],
    ['no output', model(graphOf([n('Relu', ['x'], ['y'])], {}, [value('x', 'float32', [2])], []))],
    [
      'a loop',
      model(
        graphOf(
          [n('Loop', ['', 'c', 'x'], ['y'])],
          {},
          [value('c', 'bool', []), value('x', 'float32', [2])],
          ['y'],
        ),
      ),
    ],
    [
      'a cycle',
      model(
        graphOf(
          [n('Add', ['x', 'b'], ['a']), n('Relu', ['a'], ['b'])],
          {},
          [value('x', 'float32', [2])],
          ['b'],
        ),
      ),
    ],
    [
      'rounded activations',
      model(
        graphOf(
          [
            n('MatMul', ['x', 'w'], ['h']),
            n('QuantizeLinear', ['h', 's'], ['q']),
            n('DequantizeLinear', ['q', 's'], ['d']),
            n('MatMul', ['d', 'w'], ['y']),
          ],
          { w: ramp(2, 2), s: ramp() },
          [value('x', 'float32', [1, 2])],
          ['y'],
        ),
      ),
    ],
  ])('%s', async (_, m) => {
    await inspected(encodeModel(m));
  });
});
