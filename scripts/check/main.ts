/** @file The body of `npm run check`: never a stack trace for a bad model, plan, adapter or command line. */
import { inFull, PlainError } from '#src/platform/refusals.ts';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FormatError } from '#src/formats/errors.ts';
import { nearest } from '#src/formats/nearest.ts';
import { giveInputs, type InputValues } from '#src/onnx/givenInputs.ts';
import { planToTable } from '#src/formats/plans/plan.ts';
import { readSafetensors, writeSafetensors } from '#src/formats/files/safetensors.ts';
import { type Graph, GraphError } from '#src/graph/types.ts';
import type { Model } from '#src/onnx/model.ts';
import type { Tensor } from '#src/onnx/tensor.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { unknownOperators } from '#src/oft/preflight/obstacles.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { gradientObstacle } from '#src/ops/checks/support.ts';
import { isOutOfMemory } from '#src/runtime/errors.ts';
import { adapterSummary, describeAdapter, openAdapter } from './adapter.ts';
import { type Arguments, parseArguments, usage, UsageError } from './arguments.ts';
import { computeGradients } from './compute.ts';
import { type BoundDim, chooseDims, sizes } from './dims.ts';
import { demandOwnOutput, readBytes, readHints, readModel, reason } from './files.ts';
import { choosePlan, withPart } from './plan.ts';
import { printReport } from './print.ts';
import { describeModel, header, type Report } from './report.ts';

/** Where the command writes. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

const streams: Streams = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
};

/**
 * @param folder that relative paths start from.
 * @returns exit status: 0 fine, 2 refused.
 */
export async function check(argv: readonly string[], folder: string, to: Streams = streams): Promise<number> {
  try {
    const args = parseArguments(argv);
    if (args.help) to.out(usage);
    else await run(args, (path) => resolve(folder, path), to);
    return 0;
  } catch (error) {
    to.err(`error: ${oneLine(error)}`);
    if (process.env.ROTUNE_DETAILS && error instanceof Error) to.err(error.stack ?? error.message);
    return 2;
  }
}

/** Our own errors are sentences for people; anything else is a defect, named as one, with its own words kept behind. */
function oneLine(error: unknown): string {
  if (error instanceof PlainError)
    return inFull(error)
      .replaceAll(/\s*\n\s*/g, ' ')
      .trim();
  if (isOutOfMemory(error))
    return 'There is not enough memory for this model. Close other programs, bind smaller sizes (--bind), or use a machine with more.';
  return 'Rotune failed at this model, by a mistake of its own. Please report it, with the model if you can; ROTUNE_DETAILS=1 shows where it happened.';
}

async function run(args: Arguments, path: (p: string) => string, to: Streams): Promise<void> {
  const model = withValues(await readModel(path(args.model), args.gradients !== undefined), args.set);
  const given = args.gradients && readSafetensors(await readBytes(path(args.gradients.from), 'IN')).tensors;
  const inputs = new Map(
    [...(given ?? [])].flatMap(([k, t]): [string, Tensor][] =>
      k.startsWith('input.') ? [[k.slice(6), t]] : [],
    ),
  );
  if (args.gradients) await demandOwnOutput(path(args.gradients.to));
  const dims = chooseDims(model, args.bind, inputs, await readHints(path(args.model)));
  const { plan, notes } = await choosePlan(args, path);
  const graph = importOrReport(args, model, dims, to);
  const layersOf = (embeddings: boolean) => withPart(findLayers(graph, { embeddings }), path(args.model));
  const report = describeModel(args.model, model, dims, graph, layersOf(false), { ...args, plan });
  const adapter = args.adapter === undefined ? undefined : await openAdapter(path(args.adapter), layersOf);
  if (args.json) {
    const said = adapter && { adapter: adapterSummary(adapter, args.strength) };
    to.out(JSON.stringify({ ...jsonOf(report), notes, ...said }, null, 2));
  } else {
    for (const note of notes) to.out(`${args.plan}: ${note}`);
    to.out(printReport(report));
    if (adapter) to.out(describeAdapter(adapter, args.strength));
  }
  if (args.gradients === undefined || args.plan !== undefined || args.preset !== undefined)
    refuseUntrainable(report);
  if (!args.gradients || !given) return;
  const out = await computeGradients(model, graph, given, adapter, args.strength);
  try {
    await writeFile(path(args.gradients.to), writeSafetensors(out));
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new UsageError(`OUT ${args.gradients.to} cannot be written: ${reason(error)}. Name another file.`);
  }
}

/** The model with the inputs that --set names as constants. Throws UsageError for a name that it does not have. */
function withValues(model: Model, values: InputValues): Model {
  const names = model.graph.inputs.map((v) => v.name);
  for (const name of Object.keys(values))
    if (!names.includes(name)) {
      const meant = nearest(name, names);
      throw new UsageError(
        `--set ${name}: the model has no such input${meant ? `; did you mean ${meant}?` : `; it has ${names.join(', ') || 'none'}.`}`,
      );
    }
  return giveInputs(model, values);
}

/** The static graph; where there is none, what is known of the model is still printed. */
function importOrReport(
  args: Arguments,
  model: Model,
  dims: ReadonlyMap<string, BoundDim>,
  to: Streams,
): Graph {
  try {
    return importGraph(model, sizes(dims));
  } catch (error) {
    const partial = { ...header(args.model, model, dims), unsupported: unknownOperators(model.graph) };
    to.out(args.json ? JSON.stringify(partial, null, 2) : printReport(partial));
    const assumed = [...dims].filter(([, d]) => d.from === 'assumed').map(([n, d]) => `${n}=${d.value}`);
    const first = partial.unsupported[0];
    if (error instanceof GraphError && !first && assumed.length > 0)
      throw new GraphError(`${error.message} (Assumed sizes: ${assumed.join(', ')}; set them with --bind.)`, {
        cure: error.cure,
      });
    throw error;
  }
}

/** Layers flat and with their rule counted from 1, as in the text. */
const jsonOf = ({ budget, ...report }: Report): object => ({
  ...report,
  layers: report.layers.map(({ layer, planned, rule, ...rest }) => ({
    ...layer,
    ...planned,
    ...rest,
    layer: undefined,
    rule: rule === null ? null : rule + 1,
  })),
  ...(budget && {
    budget: {
      asked: budget.asked,
      proposal: budget.proposal && { ...budget.proposal, plan: planToTable(budget.proposal.plan) },
    },
  }),
});

/** A model that the plan cannot train is refused, after its report. */
function refuseUntrainable({ problems, unsupported, reached }: Report): void {
  const fault = problems.find((p) => p.severity === 'error');
  if (fault) throw new GraphError(fault.message, { cure: fault.cure });
  const blocked = unsupported.find((u) => u.gradient);
  if (blocked) throw new GraphError(gradientObstacle({ op: blocked.op, name: blocked.node }, reached));
}
