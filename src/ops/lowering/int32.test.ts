import { describe, expect, it } from 'vitest';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '../import/import.ts';
import { int32Inputs } from './int32.ts';
import { graphOf, ints, model, n, ramp, scalar, value } from '../testing/models.ts';
import { runGraph } from '../testing/runGraph.ts';

describe('int32 inputs', () => {
  const tokens = [value('ids', 'int64', ['batch', 3]), value('mask', 'int64', ['batch', 3])];
  const graph = importGraph(
    model(
      graphOf(
        [
          n('Gather', ['table', 'ids'], ['e']),
          n('Equal', ['mask', 'one'], ['m']),
          n('Cast', ['m'], ['f'], { to: 1 }),
          n('Unsqueeze', ['f', 'axis'], ['f1']),
          n('Mul', ['e', 'f1'], ['y']),
          n('Add', ['ids', 'ids'], ['twice']),
          n('Mod', ['twice', 'one'], ['rest']),
          n('ArgMax', ['ids'], ['last'], { axis: 1, keepdims: 0 }),
        ],
        { table: ramp(5, 2), one: scalar(1, 'int64'), axis: ints(2) },
        tokens,
        ['y', 'twice', 'rest', 'last'],
      ),
    ),
    { batch: 2 },
  );

  it('keep their types at import', () => {
    expect(graph.inputs.map((v) => v.type)).toEqual(['int64', 'int64']);
  });

  it('give the same outputs, casting only where int64 is demanded', async () => {
    const narrow = int32Inputs(graph);
    expect(narrow.inputs.map((v) => v.type)).toEqual(['int32', 'int32']);
    expect(narrow.outputs).toEqual(graph.outputs);
    const feeds = (type: 'int32' | 'int64') => ({
      ids: tensor(type, [2, 3], [1, 4, 0, 2, 2, 3]),
      mask: tensor(type, [2, 3], [1, 1, 0, 1, 0, 0]),
    });
    const [wide, got] = [await runGraph(graph, feeds('int64')), await runGraph(narrow, feeds('int32'))];
    for (const { name } of graph.outputs) expect(numbersOf(got[name]!), name).toEqual(numbersOf(wide[name]!));
    const casts = narrow.nodes.filter((node) => node.op === 'Cast' && node.name !== 'Cast/f');
    expect(casts.map((node) => node.outputs[0])).toEqual(['ids/int64']);
  });

  it('keep positions that are counted from a mask on the device', async () => {
    const nodes = [
      n('Not', ['m'], ['open']),
      n('Cast', ['open'], ['one'], { to: 7 }),
      n('CumSum', ['one', 'last'], ['count']),
      n('Mul', ['count', 'one'], ['place']),
      n('Gather', ['table', 'place'], ['y']),
    ];
    const wide = importGraph(
      model(
        graphOf(nodes, { table: ramp(5, 2), last: scalar(1, 'int64') }, [value('m', 'bool', [2, 3])], ['y']),
      ),
    );
    const narrow = int32Inputs(wide);
    expect([...narrow.values.values()].filter((v) => v.type === 'int64').map((v) => v.name)).toEqual([
      'last',
    ]);
    const feeds = { m: tensor('bool', [2, 3], [0, 1, 0, 0, 0, 1]) };
    const [a, b] = [await runGraph(wide, feeds), await runGraph(narrow, feeds)];
    expect(numbersOf(b.y!)).toEqual(numbersOf(a.y!));
  });

  it('leave graphs without them alone', () => {
    const plain = importGraph(
      model(graphOf([n('Relu', ['x'], ['y'])], {}, [value('x', 'float32', [2])], ['y'])),
      { batch: 1 },
    );
    expect(int32Inputs(plain)).toBe(plain);
  });
});
