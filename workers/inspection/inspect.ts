/** @file The inspector: any set of files → what each ONNX model in it is, what of it can be trained, and what stands in the way. */
import { LastKept } from '#src/platform/kept.ts';
import type { PlainError } from '#src/platform/refusals.ts';
import { GraphError } from '#src/graph/types.ts';
import { isRounded } from '#src/ops/integers/floatForm.ts';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { readPipelineClass } from '#src/tasks/recognition/beside.ts';
import { cluesOf } from '#src/tasks/recognition/clues.ts';
import { propose } from '#src/tasks/recognition/propose.ts';
import type { Problem, Source } from '../protocol.ts';
import { problemOf } from '../trainer/problems.ts';
import type { OwnFiles } from '../trainer/files/ownFiles.ts';
import { openSource, sourceKey } from '../trainer/files/sources.ts';
import { bind } from './binding.ts';
import { allNodes, operatorsOf, refusedNodes, weightsOf } from './facts.ts';
import { identityOf, modelPaths, type ReadFile, readModelFile } from './reading.ts';
import { examine, type Trained } from './training.ts';
import type { InspectedFile, InspectedModel, InspectedTensor, Inspection, Look } from './types.ts';
import { trainability } from './words.ts';

type About = Omit<Inspection, 'models' | 'first'>;
type Read = ReadFile | { readonly path: string; readonly bytes: number; readonly problem: Problem };

/** A set of files, read once; it can be looked at with other dimensions without reading again. */
export class Inspected {
  readonly #about: About;
  readonly #read: readonly Read[];
  readonly #files: FileSet;
  readonly #hashes = new Map<string, string | null>();
  /** The last answer for a file, and the sizes that it was for. */
  readonly #known = new Map<string, { readonly key: string; readonly answer: InspectedFile }>();

  private constructor(files: FileSet, about: About, read: readonly Read[]) {
    this.#files = files;
    this.#about = about;
    this.#read = read;
  }

  /** Reads every ONNX file of the set; a file that cannot be read is refused by itself. Throws DataError where there is none. */
  static async open(files: FileSet): Promise<Inspected> {
    const paths = modelPaths(files);
    if (paths.length === 0)
      throw new DataError(
        `${files.name} holds no ONNX model: no file in it ends in .onnx. Export the model with torch.onnx.export or optimum-cli export onnx.`,
      );
    const read: Read[] = [];
    for (const path of paths) {
      try {
        read.push(await readModelFile(files, path));
      } catch (error) {
        const bytes = await files.size(path).catch(() => 0);
        read.push({ path, bytes, problem: { ...problemOf(error), item: path } });
      }
    }
    let bytes = 0;
    for (const path of files.paths) bytes += await files.size(path);
    const pipeline = await readPipelineClass(files);
    return new Inspected(files, { name: files.name, bytes, files: files.paths.length, pipeline }, read);
  }

  /** Looks at every model, at sizes that the user chose or assumed ones. */
  look({ dims = {} }: Look = {}): Inspection {
    const models = this.#read.map((file) => {
      const answer = this.#lookAt(file, dims[file.path] ?? {});
      return answer.kind === 'model' ? { ...answer, hash: this.#hashes.get(file.path) ?? null } : answer;
    });
    return { ...this.#about, models, first: firstOf(models) };
  }

  /** Reads every byte of the models for their identities; those that {@link look} gives from then on have them. */
  async identify(): Promise<void> {
    for (const file of this.#read)
      if (!('problem' in file) && !this.#hashes.has(file.path))
        this.#hashes.set(file.path, await identityOf(this.#files, file));
  }

  #lookAt(file: Read, given: Readonly<Record<string, number>>): InspectedFile {
    if ('problem' in file) return { kind: 'refused', ...file };
    const key = JSON.stringify(Object.entries(given).sort());
    const known = this.#known.get(file.path);
    if (known?.key === key) return known.answer;
    let answer: InspectedFile;
    try {
      answer = describe(file, given);
    } catch (error) {
      answer = { kind: 'refused', path: file.path, bytes: file.bytes, problem: problemOf(error) };
    }
    this.#known.set(file.path, { key, answer });
    return answer;
  }
}

/** Parts of a pipeline that draw: the others serve them. */
const DRAWS = /(^|\/)(unet|transformer|prior)(_[^/]*)?\//;

/** The file that people mean by the set: what draws in a pipeline, else the first that can be trained, else the first that can be read. */
function firstOf(models: readonly InspectedFile[]): string | null {
  const whole = models.filter((m) => m.kind === 'model');
  const trainable = whole.filter(({ trainable: { layers } }) => layers > 0);
  const first = whole.find(({ path }) => DRAWS.test(path)) ?? trainable[0] ?? whole[0] ?? models[0];
  return first?.path ?? null;
}

/** Looks at a set of files once. */
export async function inspect(files: FileSet, look: Look = {}): Promise<Inspection> {
  const inspected = await Inspected.open(files);
  if (look.identity) await inspected.identify();
  return inspected.look(look);
}

/** Keeps the last set of files, so that other dimensions are looked at without reading again. */
export class Inspector {
  readonly #own: OwnFiles;
  readonly #last = new LastKept<Inspected>();

  /** @param own fetches built-in models */
  constructor(own: OwnFiles) {
    this.#own = own;
  }

  /** Throws DataError where the source holds no model, or cannot be read. */
  async inspect(source: Source, look: Look = {}): Promise<Inspection> {
    const inspected = await this.#last.get(sourceKey(source), async () =>
      Inspected.open(await openSource(source, { own: this.#own, kind: 'models' })),
    );
    if (look.identity) await inspected.identify();
    return inspected.look(look);
  }
}

function describe(file: ReadFile, given: Readonly<Record<string, number>>): InspectedModel {
  const { model, external } = file;
  const operators = operatorsOf(model);
  const refused = refusedNodes(model, operators);
  const bound = bind(model, file.hints, given, refused.length > 0);
  const { graph } = bound;
  let trained: Trained | null = null;
  let error: PlainError | null = bound.error;
  try {
    trained = graph && examine(graph);
  } catch (cause) {
    if (!(cause instanceof GraphError)) throw cause;
    error = cause;
  }
  const shapes = new Map([...(graph?.inputs ?? []), ...(graph?.outputs ?? [])].map((v) => [v.name, v.shape]));
  const tensor = ({ name, type, shape }: (typeof model.graph.inputs)[number]): InspectedTensor => ({
    name,
    type,
    shape,
    bound: shapes.get(name) ?? null,
  });
  const missing = external.filter((e) => e.bytes === null).map((e) => e.path);
  // What was refused lies in a branch that is not taken, or leads nowhere, where the model could be bound all the same.
  const obstacles = [
    ...refused.map((o) => ({ ...o, blocks: graph === null })),
    ...(trained?.obstacles ?? []),
  ];
  const layers = trained?.layers ?? [];
  return {
    kind: 'model',
    path: file.path,
    bytes: file.bytes,
    external,
    hash: null,
    producer: model.producer,
    irVersion: model.irVersion,
    opsets: [...model.opsets].map(([domain, version]) => ({ domain, version })),
    inputs: model.graph.inputs.map(tensor),
    outputs: model.graph.outputs.map(tensor),
    proposals: propose(cluesOf(file, file.beside, shapes)),
    dims: bound.dims,
    operators,
    nodes: { file: [...allNodes(model.graph)].length, bound: graph?.nodes.length ?? null },
    weights: weightsOf(model),
    layers,
    obstacles,
    placement: trained?.placement ?? null,
    ...trainability({
      layers,
      obstacles,
      missing,
      error: trained?.error ?? error,
      dims: bound.dims,
      unadapted: trained?.others ?? [],
      rounded: isRounded(model.graph),
    }),
  };
}
