/** @file Values that a job gives inputs, and the output that it trains, from a request to what is compiled. */
import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { graphOf, model, n, ramp, value } from '#src/ops/testing/models.ts';
import type { Source } from '../../protocol.ts';
import { Lab, problem, value as good } from '../testing/sessions.ts';

const files = (name: string, contents: Record<string, Uint8Array>): Source => ({
  kind: 'files',
  name,
  files: Object.entries(contents).map(([path, bytes]) => ({
    path,
    blob: new Blob([bytes as Uint8Array<ArrayBuffer>]),
  })),
});

/** Two heads on one trunk, scaled by a rate: a [B, 3] and b [B, 5]. */
const twoHeads = encodeModel(
  model(
    graphOf(
      [
        n('MatMul', ['x', 'w'], ['h']),
        n('Cast', ['sr'], ['rate'], { to: 1 }),
        n('Mul', ['h', 'rate'], ['s']),
        n('MatMul', ['s', 'wa'], ['a']),
        n('MatMul', ['s', 'wb'], ['b']),
      ],
      { w: ramp(4, 8), wa: ramp(8, 3), wb: ramp(8, 5) },
      [value('x', 'float32', ['batch', 4]), value('sr', 'int64', [])],
      ['a', 'b'],
    ),
  ),
);
const arrays = (entries: Record<string, Tensor>): Source =>
  files('data', { 'data.safetensors': writeSafetensors(new Map(Object.entries(entries))) });
const five = arrays({ x: ramp(6, 4), y: ramp(6, 5) });

const prepare = (table: object, train = five) =>
  new Lab('inputs').newSession().prepare(
    {
      job: jobFromTable({ train: { batch: 2 }, ...table }),
      model: files('model', { 'model.onnx': twoHeads }),
      train,
      heldout: null,
      backend: 'wasm',
    },
    false,
  );

describe('a rate that is no data', () => {
  it('is asked for, with the way to give it', async () => {
    const { message, cure } = problem(await prepare({ task: 'generic', options: { output: 'b' } }))!;
    expect(message).toMatch(/has no array for the model's input sr/);
    expect(cure).toMatch(
      /Choose a file with an array "sr"; or, if it is one value for all .*, set it: "sr=…" under/,
    );
  });

  it('is a constant once it is given', async () => {
    const done = good(await prepare({ task: 'generic', inputs: { sr: 2 }, options: { output: 'b' } }));
    expect(done.problems.filter((p) => p.severity === 'error')).toEqual([]);
  });

  it('is checked against the model', async () => {
    const unknown = problem(await prepare({ task: 'generic', inputs: { rate: 2 } }))!;
    expect(unknown.message).toMatch(
      /given for the input rate, which the model does not have: its inputs are x, sr\./,
    );
    const wrong = problem(await prepare({ task: 'generic', inputs: { sr: 0.5 } }))!;
    expect(wrong.message).toMatch(/sr is int64, which cannot be 0\.5/);
  });
});

describe('the output that is trained', () => {
  const inputs = { sr: 1 };
  const errors = async (task: string, output: string): Promise<string[]> => {
    const outcome = await prepare({ task, inputs, options: { output } });
    if (!outcome.ok) return [outcome.problem.message];
    return outcome.value.problems.filter((p) => p.severity === 'error').map((p) => p.message);
  };

  it.each(['generic', 'pairs'])('%s: the one that is named, else the first', async (task) => {
    expect(await errors(task, 'b')).toEqual([]);
    // Of 3 numbers, where the target has 5.
    expect((await errors(task, '')).join(' ')).toMatch(/the model gives a \[2,3\] and the target is/);
    expect((await errors(task, 'c')).join(' ')).toMatch(/no .*output "c"; its outputs are a \[.*\], b \[/);
  });
});
