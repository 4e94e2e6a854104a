import { expect, test } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '../import/import.ts';
import { builder } from '../table.ts';
import { graphOf, model, n, ramp, value } from '../testing/models.ts';
import { runGraph } from '../testing/runGraph.ts';

const window = { kernel_shape: [3, 3], strides: [3, 3], pads: [1, 1, 1, 1], ceil_mode: 1 };
const sixth = 1 / 6;
const ninth = 1 / 9;

/**
 * torch.nn.functional's max_pool2d(x, 3, 3, 1, ceil_mode=True) and avg_pool2d(x, 3, 3, 1, True, counted): the last rows' window would start in
 * the padding and does not count; with six columns, their last window starts inside.
 */
test.each<[string, object, number[], number[], number[]]>([
  ['MaxPool', {}, [2, 2], [-0.7], [0, 0, 0, 1]],
  ['AveragePool', { count_include_pad: 0 }, [2, 2], [-0.85], [0.25, 0.25, 0.25, 0.25]],
  ['AveragePool', { count_include_pad: 1 }, [2, 2], [-0.377778], [ninth, ninth, ninth, ninth]],
  ['MaxPool', {}, [2, 6], [-0.3, 0, 0.1], [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1]],
  [
    'AveragePool',
    { count_include_pad: 0 },
    [2, 6],
    [-0.65, -0.4, -0.2],
    [0.25, 0.25, sixth, sixth, sixth, 0.5, 0.25, 0.25, sixth, sixth, sixth, 0.5],
  ],
  [
    'AveragePool',
    { count_include_pad: 1 },
    [2, 6],
    [-0.288889, -0.266667, -0.066667],
    [ninth, ninth, ninth, ninth, ninth, sixth, ninth, ninth, ninth, ninth, ninth, sixth],
  ],
])('%s %j over %j, last window in the padding', async (op, attrs, spatial, y, dx) => {
  const shape = [1, 1, ...spatial];
  const pool = n(op, ['x'], ['y'], { ...window, ...attrs });
  const imported = importGraph(model(graphOf([pool], {}, [value('x', 'float32', shape)], ['y'])));
  const g = builder(imported);
  const out = g.outputs[0]!;
  const ones = g.constant(tensor('float32', out.shape, new Array(y.length).fill(1)));
  const [grad] = backward(g, new Map([[out.name, ones]]), [g.inputs[0]!]);
  const found = await runGraph(g.build([out, grad!]), { x: ramp(...shape) });
  numbersOf(found[out.name]!).forEach((v, i) => expect(v).toBeCloseTo(y[i]!, 5));
  numbersOf(found[grad!.name]!).forEach((v, i) => expect(v).toBeCloseTo(dx[i]!, 5));
});
