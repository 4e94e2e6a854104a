/** @file The diffusion task: captions and pictures in, a UNet that draws in their manner out. */
import { LastKept } from '#src/platform/kept.ts';
import { sha256 } from '../digest.ts';
import type { FileSet } from '../files.ts';
import { withDefaults } from '../opened.ts';
import type {
  Adapted,
  SampleWish,
  Task,
  TaskHost,
  TaskJob,
  TaskModel,
  Tell,
  TrainedGraph,
} from '../types.ts';
import { bucketSizes, type Size } from './buckets.ts';
import { type Examples, hashExamples, readExamples } from './examples.ts';
import type { Conditions } from './conditions.ts';
import { draw } from './draw.ts';
import { factorOf, type LoadedPipeline, loadPipeline, sideOf } from './load.ts';
import type { Network } from './network.ts';
import { conditionsOf, networkOf } from './networks.ts';
import { defaults, type DiffusionOptions } from './options.ts';
import { PreparedDiffusion } from './prepared.ts';
import { heldApart } from './split.ts';
import { promptNotes } from './wordProblems.ts';

/** Pictures of the last folders, at the sizes that they were read for. */
const folders = new WeakMap<FileSet, LastKept<Examples>>();

function examplesOf(
  files: FileSet,
  sizes: readonly Size[],
  keep: boolean,
  host: TaskHost,
  lines: DiffusionOptions['captionLines'],
  tell?: Tell,
): Promise<Examples> {
  const key = JSON.stringify([sizes, keep, lines]);
  const known = folders.get(files) ?? new LastKept<Examples>();
  folders.set(files, known);
  return known.get(key, () => readExamples(files, sizes, keep, host, tell, lines));
}

/** What captions became last with a model. */
const told = new WeakMap<object, { readonly key: string; readonly made: Conditions }>();

/** Numbers in the weights of a graph. */
function weightsOf({ graph }: Network): number {
  let weights = 0;
  for (const { type, shape } of graph.constants.values())
    if (type.startsWith('float') || type === 'bfloat16') weights += shape.reduce((n, d) => n * d, 1);
  return weights;
}

class DiffusionModel implements TaskModel {
  readonly hash: string;
  readonly bytes: number;
  readonly weights: number;
  readonly parts: TaskModel['parts'];
  readonly #loaded: LoadedPipeline;
  readonly #job: TaskJob;
  readonly #options: DiffusionOptions;

  constructor(loaded: LoadedPipeline, hash: string, job: TaskJob, options: DiffusionOptions) {
    this.#loaded = loaded;
    this.#job = job;
    this.#options = options;
    this.hash = hash;
    this.bytes = loaded.bytes;
    const texts = options.trainTextEncoder
      ? loaded.texts.map((file, i) => ({
          part: loaded.pipeline.texts[i]!.part,
          file,
        }))
      : [];
    this.parts = [{ part: 'unet', file: loaded.unet }, ...texts];
    this.weights = weightsOf(this.#network());
  }

  /** At the job's batch, drawing squares. */
  #network(): Network {
    const side = sideOf(this.#loaded);
    const { batch } = this.#job.train;
    return networkOf(this.#loaded, {
      batch,
      plane: [side, side],
      trainText: this.#options.trainTextEncoder,
    });
  }

  layers(): TrainedGraph['layers'] {
    return this.#network().layers;
  }

  async prepare(
    train: FileSet,
    heldout: FileSet | null,
    host: TaskHost,
    tell?: Tell,
  ): Promise<PreparedDiffusion> {
    const { pipeline } = this.#loaded;
    const factor = factorOf(this.#loaded);
    const side = sideOf(this.#loaded) * factor;
    const sizes = this.#options.buckets
      ? bucketSizes(side, factor * 2 ** pipeline.halvings)
      : [{ width: side, height: side }];
    // Latents are small: their pictures are read again when they are encoded.
    const keep = pipeline.vae === null;
    const { captionLines } = this.#options;
    const all = await examplesOf(train, sizes, keep, host, captionLines, tell);
    const { data, train: training } = this.#job;
    const split = heldout ? null : heldApart(all, data.split, training.seed);
    const examples = split?.train ?? all;
    const others = heldout
      ? await examplesOf(heldout, sizes, keep, host, captionLines)
      : (split?.heldout ?? null);
    return new PreparedDiffusion({
      loaded: this.#loaded,
      job: this.#job,
      options: this.#options,
      train: examples,
      heldout: others,
      dataHash: await hashExamples(examples),
      conditions: (of, texts) => this.#told(of, texts),
    });
  }

  /**
   * What captions are told as. The texts of a run are embedded together or not at all, so that every life of it embeds alike.
   * @param texts that will be asked for; null: whatever is there will do
   */
  #told(host: TaskHost, texts: readonly string[] | null): Conditions {
    const key = JSON.stringify([host.backend, this.#options.trainTextEncoder, [...new Set(texts)].sort()]);
    const known = told.get(this.#loaded.unet);
    const fits = texts ? known?.key === key : known?.key.startsWith(key.slice(0, key.indexOf(',[')));
    if (known && fits) return known.made;
    const made = conditionsOf(this.#loaded, this.#network(), host);
    told.set(this.#loaded.unet, { key, made });
    return made;
  }

  async sample(wish: SampleWish, adapted: Adapted, host: TaskHost, tell: Tell) {
    const studio = {
      loaded: this.#loaded,
      options: this.#options,
      adapted,
      conditions: this.#told(host, null),
      host,
    };
    const { pictures } = await draw(studio, wish, tell);
    const notes = promptNotes(this.#loaded.pipeline.texts, wish.prompts);
    return { prompts: wish.prompts, pictures, ...(notes && { notes }) };
  }
}

export const task: Task = {
  id: 'diffusion',
  async open(files, open, job) {
    const loaded = await loadPipeline(files, open);
    const { options } = withDefaults(job, defaults);
    const trained = options.trainTextEncoder ? [loaded.unet, ...loaded.texts] : [loaded.unet];
    const hashes = trained.map(({ hash }) => hash);
    const hash = hashes.length === 1 ? hashes[0]! : await sha256(new TextEncoder().encode(hashes.join('\n')));
    return new DiffusionModel(loaded, hash, job, options);
  },
};
