import { describe, expect, it } from 'vitest';
import type { Graph } from '#src/graph/types.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { findLayers } from '../layers/layers.ts';
import { reachOf, withoutGradient } from './obstacles.ts';

/** Three linear layers a, b, c in a row; `between` is put behind a, `last` behind c. */
function chain(between: string[], last: string[]): Graph {
  const g = builder();
  let x = g.input('x', 'float32', [2, 4]);
  const linear = (name: string): void => {
    const w = g.initializer(`${name}.weight`, {
      type: 'float32',
      shape: [4, 4],
      data: { kind: 'inline', bytes: new Uint8Array(64) },
    });
    x = g.emit('MatMul', [x, w], {}, { name });
  };
  const put = (op: string): void => {
    if (op === 'round' || op === 'quantise') {
      const [scale, zero] = [g.scalar(0.1), g.constant(tensor('uint8', [], [128]))];
      const q = g.emit('QuantizeLinear', [x, scale, zero]);
      // With another scale than it was rounded by it is no rounding.
      x = g.emit('DequantizeLinear', [q, op === 'round' ? scale : g.scalar(0.2), zero]);
    } else x = g.emit(op, [x]);
  };
  linear('a');
  between.forEach(put);
  linear('b');
  linear('c');
  last.forEach(put);
  g.output(x, 'y');
  return g.build();
}

const reach = (graph: Graph): string[] => reachOf(graph, findLayers(graph));

describe('which layers a loss can turn', () => {
  it('are all of them where gradients pass', () => {
    expect(reach(chain(['Relu'], ['Tanh']))).toEqual(['turns', 'turns', 'turns']);
  });

  it('are all of them where activations are rounded: the gradient passes straight through', () => {
    const rounded = chain(['round'], ['round']);
    expect(reach(rounded)).toEqual(['turns', 'turns', 'turns']);
    expect(withoutGradient(rounded, findLayers(rounded))).toEqual([]);
  });

  it('are those behind a node that no gradient passes', () => {
    expect(reach(chain(['Floor'], []))).toEqual(['cut off', 'turns', 'turns']);
    const quantised = chain(['quantise'], []);
    expect(reach(quantised).slice(1)).toEqual(['turns', 'turns']);
    expect(reach(quantised)[0]).not.toBe('turns');
    const found = withoutGradient(quantised, findLayers(quantised));
    expect(found).toContainEqual(expect.objectContaining({ op: 'QuantizeLinear', gradient: true }));
  });

  it('are none where the output is cut off', () => {
    expect(reach(chain([], ['Sign']))).toEqual(['cut off', 'cut off', 'cut off']);
  });
});
