/**
 * @file A dress rehearsal of saving: before a run, each kind of file is written once by its own writer, of an adapter that has hardly turned. What
 * would fail after hours fails in a moment, and is said beforehand.
 */
import { adapterFit, adapterFormats, adapterKind } from '#src/formats/adapters/adapterFiles.ts';
import { type WeightUse, weightUses } from '#src/formats/onnx/onnxWeights.ts';
import {
  initialParameters,
  type Layout,
  parameterLayout,
  readParameters,
  writeParameters,
} from '#src/oft/rotation/parameters.ts';
import { loadNamed } from '#src/onnx/external.ts';
import { once } from '#src/platform/kept.ts';
import type { Unsaveable } from '../../protocol.ts';
import { type Adapter, exportAs } from '../adapters/adapter.ts';
import { problemOf } from '../problems.ts';
import type { Setup } from './types.ts';

/** What of a run made ready is rehearsed. */
export type Rehearsed = Pick<Setup, 'job' | 'layers' | 'layout' | 'external'> & {
  readonly model: Pick<Setup['model'], 'hash' | 'bytes' | 'parts'>;
  readonly prepared: Pick<Setup['prepared'], 'classes'>;
};

/** What a use's weight is computed from: the operators on the way, and the constants at its end. */
function trail({ scope, seen, node }: WeightUse): {
  readonly ops: string[];
  readonly constants: Set<string>;
} {
  const ops: string[] = [];
  const constants = new Set<string>();
  const visited = new Set<string>();
  const visit = (name: string): void => {
    if (visited.has(name)) return;
    visited.add(name);
    if (scope.constant(name)) constants.add(name);
    const node = scope.producer(name);
    if (!node) return;
    ops.push(node.op);
    node.inputs.forEach(visit);
  };
  if (node.op === 'MatMulNBits') {
    ops.push(node.op);
    node.inputs.slice(1).forEach(visit);
  } else visit(seen);
  return { ops, constants };
}

/**
 * One layer of each kind: an operator, a way from the stored weight to it, and a rotation of one make. Others of its kind are written alike. With the
 * names of the constants that those layers' weights are made of.
 */
function samples({ planned }: Layout, model: Rehearsed['model']) {
  const uses = new Map(model.parts.map(({ part, file }) => [part, weightUses(file.model)]));
  const kinds = new Set<string>();
  const paths = new Set<string>();
  const constants = new Set<string>();
  for (const p of planned) {
    const { layer } = p;
    const trails = ((uses.get(layer.part ?? '') ?? [...uses.values()][0])?.(layer) ?? []).map(trail);
    const make = [layer.op, layer.kind, layer.transposed, p.side, p.algorithm, p.rescale, p.share];
    const key = JSON.stringify([layer.part, make, trails.map(({ ops }) => ops)]);
    if (kinds.has(key)) continue;
    kinds.add(key);
    paths.add(layer.path);
    for (const way of trails) for (const name of way.constants) constants.add(`${layer.part ?? ''}/${name}`);
  }
  return { paths, constants };
}

/**
 * Kinds of file that no setting of the plan stands in the way of, but that this model's adapter cannot be saved as, each with its reason.
 * Reads weights, for a moment; throws nothing.
 */
export async function rehearse(setup: Rehearsed): Promise<readonly Unsaveable[]> {
  const { job, layers, layout, model, external, prepared } = setup;
  if (layout.planned.length === 0) return [];
  const { paths: turning, constants: weights } = samples(layout, model);
  // Merging leaves out what did not turn: one layer of each kind has to.
  const numbers = readParameters(layout, initialParameters(layout)).flatMap(({ layer, blocks, rescale }) =>
    turning.has(layer.layer.path)
      ? [
          [
            layer.layer.path,
            { blocks: blocks.map((_, i) => 1e-3 * ((i % 7) - 3)), ...(rescale && { rescale }) },
          ] as const,
        ]
      : [],
  );
  const adapterOf = (layout: Layout): Adapter => ({
    id: 'rehearsal',
    job,
    layers,
    layout,
    theta: writeParameters(layout, new Map(numbers)),
    step: 0,
    modelHash: model.hash,
    classes: prepared.classes,
  });
  const all = adapterOf(layout);
  // Differences are worked out weight by weight, whether it turned or not: those of one layer of each kind will do.
  const few = adapterOf(
    parameterLayout(
      layout.planned.filter(({ layer }) => turning.has(layer.path)),
      layout.whole,
    ),
  );
  // A merged model takes the weights that did not turn as they are.
  const turned = once(() =>
    Promise.all(
      model.parts.map(async ({ part, file }) => ({
        part,
        file: {
          ...file,
          model: await loadNamed(file.model, external, (name) => weights.has(`${part}/${name}`)),
        },
      })),
    ),
  );
  const found: Unsaveable[] = [];
  for (const format of adapterFormats) {
    if (adapterFit(format, layout.planned).obstacles.length > 0) continue;
    try {
      await exportAs(adapterKind(format).holds === 'differences' ? few : all, format, turned);
    } catch (cause) {
      const { message, cure } = problemOf(cause);
      found.push({ format, reason: cure === undefined ? message : `${message} ${cure}` });
    }
  }
  return found;
}
