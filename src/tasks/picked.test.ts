/** @file Numbers that pick from a model's tables are held to their rows before training, and named with their place. */
import { describe, expect, it } from 'vitest';
import { encodeModel } from '#src/onnx/encode.ts';
import type { DType, Node } from '#src/onnx/model.ts';
import { sizeOf, tensor, type Tensor } from '#src/onnx/tensor.ts';
import { graphOf, ints, model as modelOf, n, ramp, scalar, value } from '#src/ops/testing/models.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { writeSafetensors } from '#src/tasks/arrays/safetensors.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { task } from '#src/tasks/generic/task.ts';
import { testHost } from '#src/tasks/images/testing/host.ts';
import { type Dice, dice } from '#src/tasks/testing/fuzz.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';

const [ROWS, COLUMNS] = [6, 3];

/** A model of token ids [batch, 3] whose table of six rows is picked from in some way. */
const modelOfIds = (picking: Node[], table = ramp(ROWS, 4)) => {
  const graph = graphOf(
    [...picking, n('MatMul', ['e', 'w'], ['y'])],
    {
      words: table,
      w: ramp(4, 2),
      axis: ints(2),
      least: scalar(0, 'int64'),
      most: scalar(ROWS - 1, 'int64'),
    },
    [value('ids', 'int64', ['batch', COLUMNS])],
    ['y'],
  );
  const outputs = [value('y', 'float32', ['batch', COLUMNS, 2])];
  return memoryFiles({ 'words.onnx': encodeModel(modelOf({ ...graph, outputs })) }, 'words');
};
const plain = modelOfIds([n('Gather', ['words', 'ids'], ['e'])]);

/** What is said of ids, row by row. */
async function said(ids: readonly number[], model = plain, type: DType = 'int64'): Promise<string[]> {
  const rows = ids.length / COLUMNS;
  const shape = [rows, COLUMNS, 2];
  const arrays: [string, Tensor][] = [
    ['ids', tensor(type, [rows, COLUMNS], ids)],
    ['target', tensor('float32', shape, new Array<number>(sizeOf(shape)).fill(0))],
  ];
  const opened = await task.open(model, openWhole(model), testJob('generic', {}, { train: { batch: 1 } }));
  const files = memoryFiles({ 'd.safetensors': writeSafetensors(new Map(arrays)) }, 'mine');
  return (await opened.prepare(files, null, testHost())).problems.map(({ message }) => message);
}

describe('token ids', () => {
  it.each([
    ['negative', [0, 1, 2, 3, -1, 5], '-1 at [1, 1]'],
    ['one too large', [0, 1, 2, 3, 4, ROWS], '6 at [1, 2]'],
    ['far too large', [2 ** 40, 1, 2], '1099511627776 at [0, 0]'],
  ])('that are %s are named with their place', async (_, ids, place) => {
    expect(await said(ids)).toEqual([
      `d.safetensors: the array "ids" has ${place}, but picks rows 0 to 5 of the model's table words.`,
    ]);
  });

  it.each([
    ['fractions', [0, 1.5, 2], '1.5 at [0, 1]'],
    ['NaN', [0, 1, NaN], 'not finite (NaN or infinity), first at [0, 2]'],
  ])('that are %s are, too', async (_, ids, place) => {
    expect((await said(ids, plain, 'float32')).join()).toContain(place);
  });

  it('of any table and any numbers: the first that picks nothing, or none', async () => {
    for (let seed = 0; seed < depth(60, 600); seed++) {
      const d: Dice = dice(seed);
      const ids = Array.from({ length: COLUMNS * (1 + d.whole(4)) }, () =>
        d.chance(0.9) ? d.whole(ROWS) : d.whole(3 * ROWS) - ROWS,
      );
      const at = ids.findIndex((id) => id < 0 || id >= ROWS);
      const place = `has ${ids[at]} at [${Math.floor(at / COLUMNS)}, ${at % COLUMNS}],`;
      const all = await said(ids);
      expect({ ids, said: all.length }).toEqual({ ids, said: at < 0 ? 0 : 1 });
      if (at >= 0) expect(all[0]).toContain(place);
    }
  });
});

describe('a table is found', () => {
  const bad = [0, 1, ROWS];
  it.each<[string, Node[], Tensor?]>([
    ['behind another type', [n('Cast', ['ids'], ['i'], { to: 6 }), n('Gather', ['words', 'i'], ['e'])]],
    [
      'behind another shape',
      [
        n('Unsqueeze', ['ids', 'axis'], ['i']),
        n('Squeeze', ['i', 'axis'], ['j']),
        n('Gather', ['words', 'j'], ['e']),
      ],
    ],
    ['that is made of weights', [n('Neg', ['words'], ['made']), n('Gather', ['made', 'ids'], ['e'])]],
  ])('%s', async (_, nodes) => {
    expect(await said(bad, modelOfIds(nodes))).toEqual([expect.stringContaining('has 6 at [0, 2]')]);
  });

  it('nowhere, where the model brings numbers into the range itself', async () => {
    const clipped = modelOfIds([
      n('Clip', ['ids', 'least', 'most'], ['i']),
      n('Gather', ['words', 'i'], ['e']),
    ]);
    expect(await said([-7, 1, 99], clipped)).toEqual([]);
  });
});
