/** @file The whole way that a model of the user's goes: from its bytes to a training step. */
import { listDims } from '#src/graph/bind.ts';
import { type Graph, GraphError } from '#src/graph/types.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { defaultSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { meanSquare, plainOptimiser } from '#src/program/testing/steps.ts';
import { compileTraining } from '#src/program/training.ts';

/** The graph of the file, of which a training step could be made. Throws ModelError or GraphError. */
export function trainedGraph(bytes: Uint8Array): Graph {
  const model = decodeModel(bytes);
  const graph = importGraph(model, Object.fromEntries(listDims(model).map((d) => [d.name, 2])));
  const { planned, problems } = planLayers(findLayers(graph), { ...defaultSettings, rules: [] });
  const [wrong] = problems.filter((p) => p.severity === 'error');
  if (wrong) throw new GraphError(wrong.message, { cure: wrong.cure });
  const layout = parameterLayout(planned);
  compileTraining({ graph, layout, loss: meanSquare, optimiser: plainOptimiser });
  return graph;
}
