/** @file Model → static Graph: dimensions bound, opset converted, shape arithmetic folded, dead and idle nodes gone. */
import { bindGiven, bindInputs } from '#src/graph/bind.ts';
import { prune } from '#src/graph/prune.ts';
import type { Graph } from '#src/graph/types.ts';
import { type Model, ModelError } from '#src/onnx/model.ts';
import { computed, single } from '#src/onnx/single.ts';
import { constantOf } from '#src/onnx/tensor.ts';
import { floatForm } from '../integers/floatForm.ts';
import { builder } from '../table.ts';
import { checkSize, Importer } from './importer.ts';
import { checkOpset } from './opsets.ts';
import { Scope } from './scope.ts';

/**
 * The model as a static graph in opset 21, in float32 where the file has float16, bfloat16 or float64: inputs and outputs, too.
 *
 * Folding stops at weights: a float tensor (no scalar) that the file holds stays a constant of its own, under its own
 * name, with the nodes between it and its use (Transpose, Cast …), so that it can be trained. Only tables of sines and cosines are
 * folded through it: WebGPU's are inexact, and no weight lies behind one.
 *
 * A model that computes on whole numbers, or rounds activations, is imported in float, see {@link floatForm}.
 *
 * @param dims sizes of the symbolic dimensions, see {@link bindInputs}.
 * @throws GraphError or ModelError naming the node, the operator and the way out.
 */
export function importGraph(given: Model, dims: Readonly<Record<string, number>> = {}): Graph {
  const version = given.opsets.get('');
  if (version === undefined)
    throw new ModelError(
      'The model does not say which version of the ONNX operators it uses. Export it again.',
    );
  checkOpset(version, 'The model');
  const model = floatForm(given);
  const b = builder();
  const bound = bindInputs(model, dims);
  for (const v of bound)
    if (b.input(v.name, computed(v.type), v.shape).name !== v.name) throw twice('inputs', v.name);
  const importer = new Importer(b, version);
  const scope = new Scope(model.graph);
  for (const v of b.inputs) {
    scope.values.set(v.name, v);
    checkSize(v.name, v);
  }
  // No weights: they are folded, shapes and branches that depend on them are known.
  for (const [name, value] of bindGiven(model, dims, bound))
    scope.values.set(name, b.initializer(name, single(constantOf(value))));
  importer.run(scope);
  for (const { name } of model.graph.outputs)
    if (b.output(importer.value(scope, name), name).name !== name) throw twice('values', name);
  return prune(b.build());
}

const twice = (what: string, name: string): ModelError =>
  new ModelError(`Two ${what} of the model are named ${name}. The file is damaged; export the model again.`);
