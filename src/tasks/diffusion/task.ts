/** @file The diffusion task: captions and pictures in, a UNet that draws in their manner out. */
import { GraphError } from '#src/graph/types.ts';
import { sha256 } from '../digest.ts';
import type { FileSet } from '../files.ts';
import type {
  Adapted,
  DataPreview,
  PreparedTask,
  SampleWish,
  Task,
  TaskHost,
  TaskJob,
  TaskModel,
  TaskProblem,
  Tell,
  TrainedGraph,
} from '../types.ts';
import { Batches, batchNames } from './batches.ts';
import { type ImageFolder, loadImages } from './data.ts';
import { draw, judge } from './draw.ts';
import { CaptionEmbeddings } from './embeddings.ts';
import { diffusionLoss } from './loss.ts';
import {
  type BoundUnet,
  bindUnet,
  ENCODER_BATCH,
  encodeTokens,
  encoderWidth,
  type LoadedModel,
  loadModel,
  surveyLayers,
} from './model.ts';
import { toPicture, toPixels } from './pictures.ts';

const unets = new WeakMap<object, Map<number, BoundUnet>>();

/** Binding a UNet takes a moment, so the last few are kept with the file. */
function boundUnet(model: LoadedModel, batch: number): BoundUnet {
  const known = unets.get(model.unet) ?? new Map<number, BoundUnet>();
  unets.set(model.unet, known);
  const bound = known.get(batch) ?? bindUnet(model, batch, encoderWidth(model));
  known.set(batch, bound);
  return bound;
}

/** The embeddings that were made last with a text encoder. */
const lastEmbeddings = new WeakMap<object, { readonly key: string; readonly made: CaptionEmbeddings }>();

const newEmbeddings = (model: LoadedModel, host: TaskHost): CaptionEmbeddings =>
  new CaptionEmbeddings(
    model.folder.tokenizer,
    (ids, batch) => encodeTokens(model, host, ids, batch),
    ENCODER_BATCH,
  );

/** Pictures of a folder at a size; those of the last folders are kept. */
const folders = new WeakMap<FileSet, { readonly side: number; readonly images: Promise<ImageFolder> }>();

function imagesOf(files: FileSet, side: number, host: TaskHost, tell?: Tell): Promise<ImageFolder> {
  const known = folders.get(files);
  if (known?.side === side) return known.images;
  const decode = async (bytes: Uint8Array, width: number, height: number, path: string) =>
    toPixels(await host.decodeImage(bytes, path, { width, height }));
  const images = loadImages(files, '', decode, side, tell);
  folders.set(files, { side, images });
  images.catch(() => folders.delete(files));
  return images;
}

class DiffusionModel implements TaskModel {
  readonly hash: string;
  readonly bytes: number;
  readonly weights: number;
  readonly parts: TaskModel['parts'];
  readonly #model: LoadedModel;
  readonly #job: TaskJob;

  constructor(model: LoadedModel, job: TaskJob) {
    this.#model = model;
    this.#job = job;
    this.hash = model.hash;
    this.bytes = model.bytes;
    this.parts = [{ part: 'unet', file: model.unet }];
    this.weights = surveyLayers(boundUnet(model, job.train.batch)).weights;
  }

  layers(): TrainedGraph['layers'] {
    return surveyLayers(boundUnet(this.#model, this.#job.train.batch)).layers;
  }

  async prepare(train: FileSet, heldout: FileSet | null, host: TaskHost, tell?: Tell): Promise<PreparedTask> {
    const unet = boundUnet(this.#model, this.#job.train.batch);
    const side = unet.shape[1];
    const images = await imagesOf(train, side, host, tell);
    const others = heldout ? await imagesOf(heldout, side, host) : null;
    const dataHash = await hashImages(images);
    return new PreparedDiffusion(this.#model, this.#job, unet, images, others, dataHash);
  }

  async sample(wish: SampleWish, adapted: Adapted, host: TaskHost, tell: Tell) {
    const known = lastEmbeddings.get(this.#model.textEncoder);
    const own = known?.key.startsWith(host.backend) ? known.made : newEmbeddings(this.#model, host);
    const { pictures } = await draw(this.#model, adapted, own, wish, tell);
    return { prompts: wish.prompts, pictures };
  }
}

class PreparedDiffusion implements PreparedTask {
  readonly problems: readonly TaskProblem[];
  readonly counts: PreparedTask['counts'];
  readonly preview: DataPreview;
  readonly dataHash: string;
  readonly #model: LoadedModel;
  readonly #job: TaskJob;
  readonly #unet: BoundUnet;
  readonly #train: ImageFolder;
  readonly #heldout: ImageFolder | null;
  #embeddings: CaptionEmbeddings | null = null;
  #batches: Batches | null = null;

  constructor(
    model: LoadedModel,
    job: TaskJob,
    unet: BoundUnet,
    train: ImageFolder,
    heldout: ImageFolder | null,
    dataHash: string,
  ) {
    this.#model = model;
    this.#job = job;
    this.#unet = unet;
    this.#train = train;
    this.#heldout = heldout;
    this.dataHash = dataHash;
    this.counts = { train: train.images.length, heldout: heldout?.images.length ?? 0 };
    this.problems = [...train.problems, ...(heldout?.problems ?? []), ...longCaptions(model, train)];
    this.preview = previewOf(train, unet.shape[1]);
  }

  training(): TrainedGraph {
    const { graph, output } = this.#unet;
    const { batch, minSnr } = this.#job.train;
    return {
      graph,
      layers: surveyLayers(this.#unet).layers,
      loss: (g, outputs) => {
        const prediction = outputs.get(output);
        if (!prediction) throw new GraphError(`The model has no output named ${output}.`);
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
    const { sample } = this.#job;
    const images = [...this.#train.images, ...(this.#heldout?.images ?? [])];
    const texts = ['', sample.negative, ...sample.prompts, ...images.map(({ caption }) => caption)];
    const key = `${host.backend}${JSON.stringify([...new Set(texts)].sort())}`;
    const known = lastEmbeddings.get(this.#model.textEncoder);
    let embeddings = known?.key === key ? known.made : null;
    if (!embeddings) {
      embeddings = newEmbeddings(this.#model, host);
      await embeddings.add(texts, tell);
      lastEmbeddings.set(this.#model.textEncoder, { key, made: embeddings });
    }
    if (embeddings !== this.#embeddings) this.#batches = null;
    this.#embeddings = embeddings;
  }

  feeds(step: number, micro: number) {
    this.#batches ??= new Batches({
      ...this.#job.train,
      ...this.#job.data,
      images: this.#train.images,
      embeddings: this.#ready(),
      scheduler: this.#model.folder.scheduler,
      width: this.#unet.shape[2],
      timestepType: this.#unet.timestepType,
      names: {
        ...batchNames,
        sample: this.#unet.sample,
        timestep: this.#unet.timestep,
        embeddings: this.#unet.embeddings,
      },
    });
    return this.#batches.batch(step, micro);
  }

  async evaluate(adapted: Adapted, _: TaskHost, tell: Tell) {
    const images = this.#heldout?.images ?? [];
    return { loss: await judge(this.#model, adapted, this.#ready(), images, tell), metrics: [] };
  }

  async samples(adapted: Adapted, _: TaskHost, tell: Tell) {
    const { sample } = this.#job;
    const drawn = await draw(this.#model, adapted, this.#ready(), sample, tell);
    return {
      prompts: sample.prompts,
      pictures: drawn.pictures,
      metrics:
        drawn.saturation === null
          ? []
          : [
              {
                name: 'saturation',
                value: drawn.saturation,
                unit: 'number' as const,
                better: 'neither' as const,
              },
            ],
    };
  }

  #ready(): CaptionEmbeddings {
    if (!this.#embeddings) throw new Error('The captions are not embedded yet.');
    return this.#embeddings;
  }
}

/** SHA-256 over paths, captions and pixels in their order, hexadecimal. */
async function hashImages({ images }: ImageFolder): Promise<string> {
  const parts: string[] = [];
  for (const { path, caption, pixels } of images)
    parts.push(JSON.stringify([path, caption, await sha256(new Uint8Array(pixels.buffer))]));
  return sha256(new TextEncoder().encode(parts.join('\n')));
}

function longCaptions({ folder: { tokenizer } }: LoadedModel, folder: ImageFolder): TaskProblem[] {
  const long = folder.images.filter(({ caption }) => tokenizer.overflow(caption) > 0);
  const first = long[0];
  if (!first) return [];
  const which = long.length === 1 ? `The caption of ${first.path} is` : `${long.length} captions are`;
  return [
    {
      severity: 'warning',
      item: first.path,
      message: `${which} longer than the ${tokenizer.length} tokens that this model reads; the end is left out.`,
      cure: 'Put the words that matter first.',
    },
  ];
}

/** So many pictures are shown before training. */
const SHOWN = 24;

const previewOf = ({ images }: ImageFolder, side: number): DataPreview => ({
  facts: [
    { label: 'Images', value: String(images.length) },
    { label: 'As the model sees them', value: `${side} × ${side} pixels` },
  ],
  items: images.slice(0, SHOWN).map(({ path, caption, pixels }) => ({
    name: path,
    text: caption,
    picture: toPicture(pixels, side, pixels.length / 3 / side),
  })),
});

export const task: Task = {
  id: 'diffusion',
  open: async (files, open, job) => new DiffusionModel(await loadModel(files, open), job),
};
