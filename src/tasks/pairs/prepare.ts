/** @file Pairs of pictures and a model: what is fed, how far the answers are off, and the row input → output → target. */
import { sha256Lines } from '#src/tasks/arrays/digest.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { unchanged } from '#src/tasks/images/augment.ts';
import { frameOf } from '#src/tasks/images/asked.ts';
import { collectImages } from '#src/tasks/images/collect.ts';
import { splitShare } from '#src/tasks/order.ts';
import { type Found, inBatches, partOf, PreparedExamples } from '#src/tasks/prepared.ts';
import { asFed, type PictureInput } from '#src/tasks/images/pictureInput.ts';
import { describePreprocess, optionProblems } from '#src/tasks/images/describe.ts';
import { sideProblems } from '#src/tasks/images/sides.ts';
import type { Preprocess } from '#src/tasks/images/preprocess.ts';
import { ImageStore, pictureOf } from '#src/tasks/images/store.ts';
import { readPicture, writePixels } from '#src/tasks/images/tensor.ts';
import { random } from '#src/tasks/random.ts';
import type {
  Adapted,
  Picture,
  PreparedTask,
  Samples,
  TaskEvaluation,
  TaskHost,
  TaskJob,
  TaskProblem,
  Tell,
  Tensors,
} from '#src/tasks/types.ts';
import { readPairs } from './data.ts';
import type { PairsOptions } from './info.ts';
import type { PictureProgram } from './program.ts';

interface Example {
  readonly name: string;
  readonly input: string;
  readonly target: string;
  readonly inputs: ImageStore;
  readonly targets: ImageStore;
  readonly hashes: string;
}

export interface PicturePairs {
  /** Of the model's file. */
  readonly path: string;
  readonly job: TaskJob<PairsOptions>;
  readonly input: PictureInput;
  readonly program: PictureProgram;
  /** Of the inputs; targets have the same but for their size. */
  readonly preprocess: Preprocess;
}

const SHOWN = 6;
/** Longest side of one picture on the wall. */
const SMALL = 128;
const GAP = 2;

/** Pictures of one height side by side, white between them. */
export function sideBySide(pictures: readonly Picture[]): Picture {
  const height = Math.max(...pictures.map((p) => p.height));
  const width = pictures.reduce((sum, p) => sum + p.width, GAP * (pictures.length - 1));
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  let left = 0;
  for (const p of pictures) {
    for (let y = 0; y < p.height; y++)
      rgba.set(p.rgba.subarray(4 * y * p.width, 4 * (y + 1) * p.width), 4 * (y * width + left));
    left += p.width + GAP;
  }
  return { width, height, rgba };
}

async function readExamples(
  files: FileSet,
  pairs: PicturePairs,
  host: TaskHost,
  problems: TaskProblem[],
  tell?: Tell,
): Promise<Example[]> {
  const found = await readPairs(files, problems, tell);
  const inputs = new ImageStore(files, host, pairs.preprocess.frame);
  // Brought to their size as the inputs are, so that both show the same part.
  const targets = new ImageStore(files, host, { ...pairs.preprocess.frame, ...pairs.program.size });
  const total = 2 * found.length;
  const unique = (paths: string[]): string[] => [...new Set(paths)];
  const left = await collectImages(inputs, unique(found.map((p) => p.input)), partOf(tell, 0, total));
  const right = await collectImages(
    targets,
    unique(found.map((p) => p.target)),
    partOf(tell, found.length, total),
  );
  // Equal targets are no mistake: many pictures may have one answer.
  problems.push(...left.problems, ...right.problems.filter((p) => p.severity === 'error'));
  return found.flatMap(({ input, target }) => {
    const [a, b] = [left.images.get(input), right.images.get(target)];
    return a && b ? [{ name: input, input, target, inputs, targets, hashes: `${a.hash} ${b.hash}` }] : [];
  });
}

/** Reads and checks the pairs. Lists problems. */
export async function preparePictures(
  pairs: PicturePairs,
  train: FileSet,
  heldout: FileSet | null,
  host: TaskHost,
  tell?: Tell,
): Promise<PreparedTask> {
  const { job, preprocess, input, path } = pairs;
  const problems: TaskProblem[] = optionProblems(path, job.options, input, preprocess);
  let training = await readExamples(train, pairs, host, problems, tell);
  let judged = heldout ? await readExamples(heldout, pairs, host, problems, tell) : [];
  if (!heldout && job.data.split > 0)
    ({ train: training, heldout: judged } = splitShare(training, job.data.split, job.train.seed));
  const { size } = pairs.program;
  const told = training.map(({ name }) => ({ item: name, text: name }));
  problems.push(...sideProblems(job.data.flip, told, 'file names'));
  const facts = [
    { label: 'Pairs', value: `${training.length} to train, ${judged.length} held out` },
    { label: 'As the model sees them', value: describePreprocess(preprocess, input) },
    {
      label: 'Size',
      value: `${preprocess.width} × ${preprocess.height} → ${size.width} × ${size.height} pixels`,
    },
  ];
  const items = [];
  for (const e of training.slice(0, SHOWN))
    items.push({
      name: e.name,
      picture: sideBySide([
        pictureOf(await e.inputs.get(e.input), SMALL),
        pictureOf(await e.targets.get(e.target), SMALL),
      ]),
    });
  const lines = [JSON.stringify([preprocess, size]), ...training.map((e) => e.hashes)];
  return new PreparedPairs(pairs, training, judged, {
    problems,
    preview: { facts, items },
    dataHash: await sha256Lines(lines),
  });
}

/** Size and numbers of what the model makes. */
export function outputSize({
  preprocess,
  program,
}: Pick<PicturePairs, 'preprocess' | 'program'>): Preprocess {
  const { layout, size } = program;
  const channel = (values: readonly number[]): number[] =>
    Array.from({ length: layout.channels }, (_, c) => values[Math.min(c, values.length - 1)]!);
  return {
    ...preprocess,
    ...size,
    frame: size,
    mean: channel(preprocess.mean),
    std: channel(preprocess.std),
  };
}

class PreparedPairs extends PreparedExamples<Example> {
  readonly #targetSize: Preprocess;

  constructor(
    readonly pairs: PicturePairs,
    examples: readonly Example[],
    heldout: readonly Example[],
    found: Found,
  ) {
    super(examples, heldout, pairs.job.train, found);
    this.#targetSize = outputSize(pairs);
  }

  training() {
    return this.pairs.program.trained;
  }

  /** A batch of inputs, and of targets if wanted; the last example fills it up. */
  async #feed(examples: readonly Example[], flips: readonly boolean[] = []): Promise<Tensors> {
    const { input, program, preprocess, job } = this.pairs;
    const { batch } = job.train;
    const each = input.channels * preprocess.width * preprocess.height;
    const wide = program.layout.channels * program.size.width * program.size.height;
    const pixels = new Float32Array(batch * each);
    const target = new Float32Array(batch * wide);
    for (let i = 0; i < batch; i++) {
      const example = examples[Math.min(i, examples.length - 1)]!;
      const change = { ...unchanged, flip: flips[i] ?? false };
      writePixels(await example.inputs.get(example.input), preprocess, input, pixels, i * each, change);
      writePixels(
        await example.targets.get(example.target),
        this.#targetSize,
        program.layout,
        target,
        i * wide,
        change,
      );
    }
    return { [input.name]: asFed(input, pixels), [program.target]: target };
  }

  feeds(step: number, micro: number): Promise<Tensors> {
    const { job } = this.pairs;
    const { chosen, first } = this.turn(step, micro, 'pair', 'folder');
    return this.#feed(
      chosen,
      chosen.map((_, i) => job.data.flip && random(job.train.seed, 'flip', first + i).uniform(1)[0]! < 0.5),
    );
  }

  /** What the model makes of each example: its loss, and where its picture's numbers lie. */
  async #answers(
    examples: readonly Example[],
    adapted: Adapted,
    tell: Tell,
    each: (example: Example, loss: number, numbers: Float32Array, target: Float32Array) => void,
  ): Promise<void> {
    const { program, job } = this.pairs;
    const graph = program.judging();
    const run = await adapted.run('judge', graph);
    const wide = program.layout.channels * program.size.width * program.size.height;
    for (const { some } of inBatches(examples, job.train.batch, tell)) {
      const feeds = await this.#feed(some);
      const out = await run(feeds);
      const [numbers, losses] = graph.outputs.map((o) => out[o.name] as Float32Array);
      const wanted = feeds[program.target] as Float32Array;
      some.forEach((example, i) => {
        const [from, to] = [i * wide, (i + 1) * wide];
        each(example, losses![i]!, numbers!.subarray(from, to), wanted.subarray(from, to));
      });
    }
  }

  protected async judge(adapted: Adapted, tell: Tell): Promise<TaskEvaluation> {
    let [sum, noise] = [0, 0];
    const { std, scale } = this.#targetSize;
    await this.#answers(this.heldout, adapted, tell, (_e, loss, got, wanted) => {
      sum += loss;
      let square = 0;
      for (let i = 0; i < got.length; i++) square += (got[i]! - wanted[i]!) ** 2;
      // Numbers span scale/std for black to white.
      const share = square / got.length / (scale / std[0]!) ** 2;
      noise += -10 * Math.log10(Math.max(share, 1e-10));
    });
    const n = this.heldout.length;
    return {
      loss: sum / n,
      metrics: [{ name: 'PSNR', value: noise / n, unit: 'number', better: 'higher' }],
    };
  }

  async samples(adapted: Adapted, _: TaskHost, tell: Tell): Promise<Samples> {
    const from = this.heldout.length > 0 ? this.heldout : this.examples;
    const shown = Array.from(random(0, 'shown', 0).permutation(from.length).slice(0, SHOWN), (i) => from[i]!);
    const made: Picture[] = [];
    await this.#answers(shown, adapted, tell, (_e, _loss, got) => {
      made.push(readPicture(got, 0, this.#targetSize, this.pairs.program.layout));
    });
    const pictures: Picture[] = [];
    for (const [i, e] of shown.entries())
      pictures.push(
        sideBySide([
          pictureOf(await e.inputs.get(e.input), SMALL),
          pictureOf(frameOf(made[i]!), SMALL),
          pictureOf(await e.targets.get(e.target), SMALL),
        ]),
      );
    return { prompts: shown.map((e) => e.name), pictures };
  }
}
