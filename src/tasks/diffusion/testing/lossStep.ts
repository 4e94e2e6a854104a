/** @file The network with the loss of training on top, and its gradients with respect to some of its constants. */
import { backward } from '#src/autodiff/backward.ts';
import { prune } from '#src/graph/prune.ts';
import type { Graph } from '#src/graph/types.ts';
import { insertAdapters } from '#src/oft/insertion/insert.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { sizeOf } from '#src/onnx/tensor.ts';
import { builder } from '#src/ops/table.ts';
import { lossMean } from '#src/optim/loss.ts';
import { diffusionLoss } from '../loss.ts';
import type { Network } from '../network.ts';

/** Constants are fed as `trained:name`; the outputs are `loss` and `grad:name`. */
export function lossStep(net: Network, constants: readonly string[]): Graph {
  const g = builder();
  g.startFrom(net.graph);
  const whole = constants.map((name) =>
    g.input(`trained:${name}`, 'float32', [sizeOf(net.graph.constants.get(name)!.shape)]),
  );
  insertAdapters(
    g,
    net.graph,
    parameterLayout([]),
    [],
    'auto',
    new Map(constants.map((n, i) => [n, whole[i]!])),
  );
  const prediction = g.value(net.output);
  const target = g.input('target', 'float32', prediction.shape);
  const loss = lossMean(g, diffusionLoss(g, prediction, target, null));
  const grads = backward(g, new Map([[loss.name, g.scalar(1)]]), whole);
  g.output(loss, 'loss');
  grads.forEach((grad, i) => g.output(grad!, `grad:${constants[i]!}`));
  return prune({ ...g.build(), outputs: g.outputs.slice(-1 - constants.length) });
}
