/** @file The one table of operators: every family's entries, and shape inference over it. */
import { Builder, type Infer } from '#src/graph/builder.ts';
import { type Graph, GraphError } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { contrib } from './elementwise/contribActivations.ts';
import { expansions } from './fused/operators.ts';
import * as elementwise from './elementwise/operators.ts';
import { isNarrowable, lowerThroughInt32, takesType } from './lowering/kernelTypes.ts';
import * as linear from './linear/operators.ts';
import * as convolution from './spatial/operators.ts';
import { ml } from './indexing/ml.ts';
import * as movement from './movement/operators.ts';
import * as indexing from './indexing/operators.ts';
import * as normalisation from './normalisation/operators.ts';
import * as reduction from './reduction/operators.ts';
import { refusals } from './checks/refusals.ts';
import * as shapes from './shapes/operators.ts';
import * as sound from './sound/operators.ts';
import type { Operator, OperatorTable } from './types.ts';

/** Every family exports its entries under the operators' exact ONNX names. */
const entries: OperatorTable = {
  ...elementwise,
  ...contrib,
  ...expansions,
  ...ml,
  ...refusals,
  ...linear,
  ...convolution,
  ...movement,
  ...indexing,
  ...normalisation,
  ...reduction,
  ...shapes,
  ...sound,
};

/** The entry with what holds of all kernels: the element types that WebGPU takes, and the detour for others. */
function complete(key: string, entry: Operator): Operator {
  const { lower } = entry;
  return {
    ...entry,
    webgpu: (node, inputs, outputs) =>
      takesType(node, inputs) && (entry.webgpu?.(node, inputs, outputs) ?? true),
    ...(isNarrowable(key) && {
      lower: (g, node, inputs) => lowerThroughInt32(g, node, inputs, lower) ?? lower?.(g, node, inputs),
    }),
  };
}

export const operators: OperatorTable = Object.fromEntries(
  Object.entries(entries).map(([key, entry]) => [key, complete(key, entry)]),
);

export const operatorKey = (node: Node): string =>
  node.domain === '' ? node.op : `${node.domain}::${node.op}`;

/** Shape inference by the table. Throws GraphError for an operator that it does not hold. */
export const infer: Infer = (node, inputs, constant) => {
  const operator = operators[operatorKey(node)];
  if (!operator)
    throw new GraphError(
      `${operatorKey(node)} ${node.name}: Rotune does not know this operator. Export the model without it, or ask for it in an issue.`,
    );
  return operator.shape({ node, inputs, constant, infer });
};

/** A builder that infers shapes by the table. */
export const builder = (graph?: Graph): Builder => new Builder(infer, graph);
