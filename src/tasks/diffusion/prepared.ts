/** @file Pictures and model together: the training graph, its feeds, the held-out loss and the samples. */
import { feedKey } from '#src/graph/names.ts';
import { GraphError } from '#src/graph/types.ts';
import type {
  Adapted,
  DataPreview,
  PreparedTask,
  TaskHost,
  TaskJob,
  TaskProblem,
  Tell,
  Tensors,
  TrainedGraph,
} from '../types.ts';
import { Batches, batchNames } from './batches.ts';
import type { Conditions } from './conditions.ts';
import { draw, judge, type Studio } from './draw.ts';
import type { Examples } from './examples.ts';
import { encodePictures } from './latents.ts';
import { factorOf, type LoadedPipeline } from './load.ts';
import { diffusionLoss } from './loss.ts';
import { type Material, PixelMaterial, type Plane } from './material.ts';
import type { Network } from './network.ts';
import { networkOf } from './networks.ts';
import { promptProblems, wordProblems } from './wordProblems.ts';
import type { DiffusionOptions } from './options.ts';
import { sideProblems } from '../images/sides.ts';

export interface Preparing {
  readonly loaded: LoadedPipeline;
  readonly job: TaskJob;
  readonly options: DiffusionOptions;
  readonly train: Examples;
  readonly heldout: Examples | null;
  readonly dataHash: string;
  /** What these texts are told as, on the host's backend. */
  readonly conditions: (host: TaskHost, texts: readonly string[]) => Conditions;
}

interface Ready {
  readonly train: Material;
  readonly heldout: Material | null;
  readonly conditions: Conditions;
  readonly batches: Batches;
}

export class PreparedDiffusion implements PreparedTask {
  readonly problems: readonly TaskProblem[];
  readonly counts: PreparedTask['counts'];
  readonly preview: DataPreview;
  readonly dataHash: string;
  /** Sizes that training pictures have, as indices of the folder's sizes. */
  readonly #used: readonly number[];
  readonly #own: Preparing;
  #ready: Ready | null = null;

  constructor(own: Preparing) {
    const { train, heldout, dataHash, loaded } = own;
    this.#own = own;
    this.dataHash = dataHash;
    this.counts = {
      train: train.list.length,
      heldout: heldout?.list.length ?? 0,
    };
    this.problems = [
      ...train.problems,
      ...(heldout?.problems ?? []),
      ...sideProblems(
        own.job.data.flip,
        train.list.map(({ path, caption }) => ({ item: path, text: caption })),
        'captions',
      ),
      ...wordProblems(loaded.pipeline.texts, [train, heldout]),
      ...promptProblems(loaded.pipeline.texts, own.job.sample.prompts),
    ];
    const used = [...new Set(train.list.map(({ bucket }) => bucket))].sort((a, b) => a - b);
    this.#used = used.length > 0 ? used : [0];
    this.preview = previewOf(train, this.#used);
  }

  variant(step: number): number {
    return this.#used.indexOf(this.#warm().batches.bucket(step));
  }

  #network(variant: number): Network {
    const { loaded, job, options, train } = this.#own;
    const { width, height } = train.sizes[this.#used[variant]!]!;
    const factor = factorOf(loaded);
    return networkOf(loaded, {
      batch: job.train.batch,
      plane: [height / factor, width / factor],
      trainText: options.trainTextEncoder,
    });
  }

  training(variant = 0): TrainedGraph {
    const { graph, output, layers } = this.#network(variant);
    const { batch, minSnr } = this.#own.job.train;
    return {
      graph,
      layers,
      loss: (g, outputs) => {
        const prediction = outputs.get(output);
        if (!prediction) throw new GraphError(`The model has no output named ${output}. Export it again.`);
        return diffusionLoss(
          g,
          prediction,
          g.input('target', 'float32', prediction.shape),
          minSnr > 0 ? g.input('weight', 'float32', [batch]) : null,
        );
      },
    };
  }

  /** Embeds all that training, samples and held-out loss will ask for in one go, so that every life of a run embeds alike. */
  async warm(host: TaskHost, tell?: Tell): Promise<void> {
    const { loaded, job, options, train, heldout } = this.#own;
    const { sample } = job;
    const shown = asOftenAsShown(train);
    const folders = heldout ? [shown, heldout] : [shown];
    const captions = folders.flatMap(({ list }) => list.map(({ caption }) => caption));
    const texts = ['', sample.negative, ...this.#prompts, ...captions];
    const conditions = this.#own.conditions(host, texts);
    await conditions.add(texts, tell);
    const network = this.#network(0);
    const materials = loaded.vae
      ? await encodePictures(
          loaded,
          folders,
          {
            channels: network.shape[0],
            mirrored: job.data.flip,
            deviation: options.latents === 'sample',
          },
          host,
          tell,
        )
      : folders.map(pixelMaterial);
    const batches = new Batches({
      ...job.train,
      ...job.data,
      offsetNoise: options.offsetNoise,
      material: materials[0]!,
      conditions,
      scheduler: loaded.pipeline.scheduler,
      timestepType: network.timestepType,
      names: {
        sample: network.sample,
        timestep: network.timestep,
        timeIds: network.timeIds,
        target: feedKey(batchNames.target, network.graph.inputs),
        weight: feedKey(batchNames.weight, network.graph.inputs),
      },
    });
    this.#ready = {
      train: materials[0]!,
      heldout: materials[1] ?? null,
      conditions,
      batches,
    };
  }

  async feeds(step: number, micro: number): Promise<Tensors> {
    const { batches } = this.#warm();
    await batches.ready(step, micro);
    return batches.batch(step, micro);
  }

  async evaluate(adapted: Adapted, host: TaskHost, tell: Tell) {
    return {
      loss: await judge(this.#studio(adapted, host), this.#warm().heldout, tell),
      metrics: [],
    };
  }

  async samples(adapted: Adapted, host: TaskHost, tell: Tell) {
    const sample = { ...this.#own.job.sample, prompts: this.#prompts };
    const { pictures, saturation } = await draw(this.#studio(adapted, host), sample, tell);
    const metric = {
      name: 'saturation',
      unit: 'number',
      better: 'neither',
    } as const;
    return {
      prompts: sample.prompts,
      pictures,
      metrics: saturation === null ? [] : [{ ...metric, value: saturation }],
    };
  }

  /** What the samples are of: where the job names nothing, what the data name, never seen in training if there is such. */
  get #prompts(): readonly string[] {
    const { job, train, heldout } = this.#own;
    if (job.sample.prompts.length > 0) return job.sample.prompts;
    const captions = [heldout, train].flatMap((folder) => folder?.list.map(({ caption }) => caption) ?? []);
    return [...new Set(captions.filter((caption) => caption.trim() !== ''))].slice(0, SHOWN_PROMPTS);
  }

  #studio(adapted: Adapted, host: TaskHost): Studio {
    const { loaded, options } = this.#own;
    return {
      loaded,
      options,
      adapted,
      conditions: this.#warm().conditions,
      host,
    };
  }

  #warm(): Ready {
    if (!this.#ready) throw new Error('Captions and pictures are not encoded yet.');
    return this.#ready;
  }
}

/** Enough to see by, few enough to be drawn again and again. */
const SHOWN_PROMPTS = 4;

/** The folder with each picture as often as sd-scripts' folders say. */
const asOftenAsShown = (train: Examples): Examples => ({
  ...train,
  list: train.list.flatMap((example) => Array.from({ length: example.repeats }, () => example)),
});

/** Folders that are not encoded hold their pixels. */
const pixelMaterial = ({ list, sizes }: Examples): PixelMaterial =>
  new PixelMaterial(
    list.map((example) => ({ ...example, pixels: example.pixels! })),
    sizes.map(({ width, height }): Plane => [3, height, width]),
  );

function previewOf({ list, sizes, shown }: Examples, used: readonly number[]): DataPreview {
  const rounds = list.reduce((n, example) => n + example.repeats, 0);
  const count = (bucket: number): number => list.filter((example) => example.bucket === bucket).length;
  const size = (bucket: number): string => `${sizes[bucket]!.width} × ${sizes[bucket]!.height}`;
  return {
    facts: [
      { label: 'Images', value: String(list.length) },
      ...(rounds > list.length
        ? [{ label: 'Shown in each round, by the folders’ names', value: String(rounds) }]
        : []),
      {
        label: 'As the model sees them',
        value:
          used.length === 1
            ? `${size(used[0]!)} pixels`
            : used.map((bucket) => `${count(bucket)} of ${size(bucket)}`).join(', '),
      },
    ],
    items: shown,
  };
}
