/** @file A request made ready: model and images read, layers planned, the step compiled as plain data. Nothing here touches a device. */
import type { Job } from '#src/formats/jobTypes.ts';
import { GraphError } from '#src/graph/types.ts';
import { type Layout, parameterLayout, writeParameters } from '#src/oft/parameters.ts';
import type { PlanProblem } from '#src/oft/rules.ts';
import type { Layer, PlannedLayer } from '#src/oft/types.ts';
import { compileTraining } from '#src/program/training.ts';
import type { Program } from '#src/program/types.ts';
import { FIRST_ROUNDS } from '#src/training/rounds.ts';
import { type Decode, type ImageFolder, loadImages } from '#src/tasks/diffusion/data.ts';
import { DataError } from '#src/tasks/files.ts';
import { diffusionLoss } from '#src/tasks/diffusion/loss.ts';
import type { AdapterReport, JobRequest, Preparation, Source } from '../protocol.ts';
import { begin } from './begin.ts';
import { encoderWidth } from './bench.ts';
import { type BoundUnet, bindUnet, type LoadedModel, loadModel, sha256, surveyLayers } from './model.ts';
import type { Origin, Saved } from './saved.ts';
import { readStart, type Start } from './start.ts';
import { openSource, sourceKey, sourceName } from './sources.ts';

export type SetupProblem = Preparation['problems'][number];

export interface Setup {
  readonly request: JobRequest;
  readonly job: Job;
  readonly model: LoadedModel;
  readonly unet: BoundUnet;
  /** All that can be adapted. */
  readonly layers: readonly Layer[];
  readonly planned: readonly PlannedLayer[];
  /** The adapter file that the run starts from; null: the untouched model. */
  readonly adapter: Origin | null;
  /** What became of the file, where one was read. */
  readonly report: AdapterReport | null;
  readonly layout: Layout;
  /** Numbers in the model's weights. */
  readonly weights: number;
  readonly train: ImageFolder;
  readonly heldout: ImageFolder | null;
  readonly problems: readonly SetupProblem[];
  readonly modelName: string;
  readonly dataName: string;
  readonly selfContained: boolean;
  readonly layoutKey: string;
  /** Tells whether the training images and captions are the same as before. */
  readonly dataHash: string;
  /** Names the training step. */
  trainingKey(rounds: number): string;
  /** The training step with so many Newton–Schulz rounds. Throws GraphError. */
  program(rounds: number): Program;
}

/** Names an adapted model: equal keys, equal programs. */
export const layoutKeyOf = (modelHash: string, planned: readonly PlannedLayer[]): string =>
  JSON.stringify([modelHash, planned.map((p) => ({ ...p, layer: p.layer.path }))]);

/** SHA-256 over paths, captions and pixels in their order, hexadecimal. */
async function hashImages({ images }: ImageFolder): Promise<string> {
  const parts: string[] = [];
  for (const { path, caption, pixels } of images)
    parts.push(JSON.stringify([path, caption, await sha256(new Uint8Array(pixels.buffer))]));
  return sha256(new TextEncoder().encode(parts.join('\n')));
}

export type Progress = (done: number, total: number) => void;

/** Reads sources and keeps the last of each kind, so that preparing and starting read once. */
export class Loader {
  readonly #base: URL;
  readonly #decode: Decode;
  readonly #kept = new Map<string, { readonly key: string; readonly value: Promise<unknown> }>();

  constructor(base: URL, decode: Decode) {
    this.#base = base;
    this.#decode = decode;
  }

  #once<T>(slot: string, key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#kept.get(slot);
    if (known?.key === key) return known.value as Promise<T>;
    const value = make();
    this.#kept.set(slot, { key, value });
    value.catch(() => {
      if (this.#kept.get(slot)?.value === value) this.#kept.delete(slot);
    });
    return value;
  }

  model(source: Source, onProgress?: Progress): Promise<LoadedModel> {
    return this.#once('model', sourceKey(source), async () => {
      let done = 0;
      let total = 0;
      const files = await openSource(source, {
        base: this.#base,
        kind: 'models',
        onFetched: (bytes) => onProgress?.((done += bytes), Math.max(done, total)),
      });
      for (const path of files.paths) total += await files.size(path);
      return loadModel(files);
    });
  }

  /** An adapter file, read for a model's layers. */
  adapter(source: Source, modelHash: string, layers: readonly Layer[]): Promise<Start> {
    return this.#once('adapter', `${modelHash}:${sourceKey(source)}`, async () => {
      if (source.kind === 'builtin') throw new DataError(`There is no built-in adapter "${source.id}".`);
      return readStart(await openSource(source, { base: this.#base, kind: 'data' }), layers);
    });
  }

  images(
    slot: 'train' | 'heldout',
    source: Source,
    size: number,
    onProgress?: Progress,
  ): Promise<ImageFolder> {
    return this.#once(slot, `${size}:${sourceKey(source)}`, async () => {
      const files = await openSource(source, { base: this.#base, kind: 'data' });
      return loadImages(files, '', this.#decode, size, onProgress);
    });
  }

  /** The UNet at a batch, as a graph. */
  unet(model: LoadedModel, batch: number): Promise<BoundUnet> {
    return this.#once('unet', `${model.hash}:${batch}`, () =>
      Promise.resolve().then(() => bindUnet(model, batch, encoderWidth(model))),
    );
  }
}

const planProblem = ({ severity, message, item, cure }: PlanProblem, layers: number): SetupProblem => ({
  severity,
  code: layers === 0 && severity === 'error' && item === undefined ? 'nothing-to-adapt' : 'bad-job',
  message,
  item,
  cure,
});

/** Problems of the images; warnings beyond the first few are counted. */
function dataProblems(folder: ImageFolder, limit = 20): SetupProblem[] {
  const shown = folder.problems.slice(0, limit);
  const rest = folder.problems.length - shown.length;
  return [
    ...shown.map(({ severity, item, message }) => ({ severity, code: 'bad-data' as const, item, message })),
    ...(rest > 0
      ? [{ severity: 'warning' as const, code: 'bad-data' as const, message: `And ${rest} more like these.` }]
      : []),
  ];
}

function captionProblems(model: LoadedModel, folder: ImageFolder): SetupProblem[] {
  const { tokenizer } = model.folder;
  const long = folder.images.filter(({ caption }) => tokenizer.overflow(caption) > 0);
  const first = long[0];
  if (!first) return [];
  const which = long.length === 1 ? `The caption of ${first.path} is` : `${long.length} captions are`;
  return [
    {
      severity: 'warning',
      code: 'bad-data',
      item: first.path,
      message: `${which} longer than the ${tokenizer.length} tokens that this model reads; the end is left out.`,
      cure: 'Put the words that matter first.',
    },
  ];
}

/**
 * Reads, plans and compiles. Throws only where there is nothing to list problems of (no model, no data).
 * @param saved of the run that is to go on
 */
export async function makeSetup(
  request: JobRequest,
  loader: Loader,
  saved: Saved | null,
  onProgress?: Progress,
): Promise<Setup> {
  const { job } = request;
  const model = await loader.model(request.model, onProgress);
  const unet = await loader.unet(model, job.train.batch);
  const { layers, weights } = surveyLayers(unet);
  const beginning = await begin(request, loader, model.hash, layers, saved);
  const { planned, planProblems } = beginning;
  const layout = parameterLayout(planned);
  const initial = beginning.numbers && writeParameters(layout, beginning.numbers);
  const side = unet.shape[1];
  const train = await loader.images('train', request.train, side);
  const heldout = request.heldout ? await loader.images('heldout', request.heldout, side) : null;
  const planErrors = planProblems.some((p) => p.severity === 'error');
  const programs = new Map<number, Program>();
  const program = (rounds: number): Program => {
    const known = programs.get(rounds);
    if (known) return known;
    const { accumulate, betas, eps, weightDecay, clip, blockwiseRate, minSnr, batch } = job.train;
    const made = compileTraining({
      graph: unet.graph,
      layout,
      rounds,
      optimiser: { betas, eps, weightDecay, clip, accumulate, blockwiseRate },
      loss: (g, outputs) => {
        const output = outputs.get(unet.output);
        if (!output) throw new GraphError(`The model has no output named ${unet.output}.`);
        return diffusionLoss(
          g,
          output,
          g.input('target', 'float32', output.shape),
          minSnr > 0 ? g.input('weight', 'float32', [batch]) : null,
        );
      },
    });
    const begun: Program = initial
      ? { ...made, state: made.state.map((s) => (s.name === 'theta' ? { ...s, init: initial } : s)) }
      : made;
    programs.set(rounds, begun);
    return begun;
  };
  const problems: SetupProblem[] = [
    ...beginning.problems,
    ...planProblems.map((p) => planProblem(p, planned.length)),
    ...dataProblems(train),
    ...(heldout ? dataProblems(heldout) : []),
    ...captionProblems(model, train),
  ];
  if (!planErrors) {
    try {
      program(FIRST_ROUNDS);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      problems.unshift({ severity: 'error', code: 'unsupported', message: error.message });
    }
  }
  const own = [request.model, request.train, ...(request.heldout ? [request.heldout] : [])];
  const layoutKey = layoutKeyOf(model.hash, planned);
  return {
    request,
    job,
    model,
    unet,
    layers,
    planned,
    adapter: beginning.adapter,
    report: beginning.report,
    layout,
    weights,
    train,
    heldout,
    problems,
    program,
    layoutKey,
    dataHash: await hashImages(train),
    trainingKey: (rounds) => {
      const { steps: _, learningRate: __, seed: ___, ...rest } = job.train;
      return JSON.stringify([layoutKey, rest, rounds]);
    },
    modelName: sourceName(request.model),
    dataName: sourceName(request.train),
    selfContained: own.every(({ kind }) => kind === 'builtin'),
  };
}
