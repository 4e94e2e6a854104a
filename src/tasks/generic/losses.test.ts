import { describe, expect, it } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import type { DType } from '#src/onnx/model.ts';
import { numbersOf, tensor } from '#src/onnx/tensor.ts';
import { lowerGraph } from '#src/ops/lowering/lower.ts';
import { builder } from '#src/ops/table.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { lossMean } from '#src/optim/loss.ts';
import { batchLoss, exampleLosses, type LossName } from './losses.ts';
// torch 2.13: losses and their gradients.
import cases from './testing/losses.json' with { type: 'json' };

describe('losses', () => {
  it.each(
    cases.map((c, i) => [`${i}: ${c.name} of [${c.shape.join()}] and [${c.targetShape.join()}]`, c] as const),
  )('%s are torch’s, with their gradients', async (_, c) => {
    const g = builder();
    const prediction = g.input('prediction', 'float32', c.shape);
    const target = g.input('target', c.type as DType, c.targetShape);
    const options = 'delta' in c ? { delta: c.delta as number } : {};
    const losses = exampleLosses(g, c.name as LossName, prediction, target, options);
    const loss = lossMean(g, batchLoss(g, losses));
    const [grad] = backward(g, new Map([[loss.name, g.scalar(1)]]), [prediction]);
    g.output(loss, 'loss');
    g.output(grad!, 'grad');
    const out = await runGraph(lowerGraph(g.build()), {
      prediction: tensor('float32', c.shape, c.prediction),
      target: tensor(c.type as DType, c.targetShape, c.target),
    });
    expect(out['loss']!.shape).toEqual([]);
    expect(Math.abs(Number(out['loss']!.data[0]) - c.loss)).toBeLessThan(2e-6 * Math.max(1, c.loss));
    numbersOf(out['grad']!).forEach((x, i) => expect(Math.abs(x - c.grad[i]!)).toBeLessThan(1e-6));
  });

  it('refuse shapes that do not fit, by name', () => {
    const g = builder();
    const p = g.input('scores', 'float32', [2, 3]);
    const t = g.input('wanted', 'float32', [2, 4]);
    const labels = g.input('labels', 'int32', [3]);
    expect(() => exampleLosses(g, 'mse', p, t)).toThrow(
      /mse compares equal shapes.*scores \[2,3\].*wanted \[2,4\]/,
    );
    expect(() => exampleLosses(g, 'cross_entropy', p, labels)).toThrow(
      /labels shaped like the logits scores \[2,3\] without/,
    );
  });
});
