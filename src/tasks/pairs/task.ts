/** @file Pairs: picture to picture, or vector to vector. */
import type { FileSet } from '#src/tasks/files.ts';
import { countWeights, layersOf, likelyGraph, openSingle } from '#src/tasks/generic/model.ts';
import { prepareArrays } from '#src/tasks/generic/prepare.ts';
import { genericDefaults } from '#src/tasks/generic/info.ts';
import { isArrayFile } from '#src/tasks/arrays/files.ts';
import { imagePaths } from '#src/tasks/images/list.ts';
import { inputShape, pictureInput } from '#src/tasks/images/pictureInput.ts';
import { preprocessing, readPreprocessor } from '#src/tasks/images/preprocess.ts';
import { probeImage } from '#src/tasks/images/probe.ts';
import type { OpenModel, Task, TaskHost, TaskJob, TaskModel, Tell } from '#src/tasks/types.ts';
import { type PairsOptions, pairsDefaults } from './info.ts';
import { preparePictures } from './prepare.ts';
import { pictureProgram } from './program.ts';

/** Side of the first picture whose header says it, rounded to 8 so that halving layers fit; null: none does. */
async function firstSide(files: FileSet): Promise<number | null> {
  for (const path of imagePaths(files).slice(0, 20)) {
    const header = probeImage(await files.read(path));
    const least = Math.min(header?.width ?? 0, header?.height ?? 0);
    if (least >= 8) return Math.min(512, 8 * Math.floor(least / 8));
  }
  return null;
}

async function open(files: FileSet, openModel: OpenModel, given: TaskJob): Promise<TaskModel> {
  const options = { ...pairsDefaults, ...(given.options as Partial<PairsOptions>) };
  const job: TaskJob<PairsOptions> = { ...given, options };
  const file = await openSingle(files, openModel);
  const config = await readPreprocessor(files, file.path);
  const takesPictures = file.model.graph.inputs.some((v) => v.shape?.length === 4);
  const size = (side: number) => {
    const input = pictureInput(file.model, file.path);
    const normalise = options.normalise === 'auto' && !config ? 'none' : options.normalise;
    const preprocess = preprocessing(config, { ...input, normalise, side });
    // No margin: input and target must show the same part.
    const { width, height } = preprocess;
    return { input, preprocess: { ...preprocess, frame: { width, height } } };
  };
  return {
    hash: file.hash,
    bytes: file.bytes,
    weights: countWeights(file.model),
    parts: [{ part: '', file }],
    layers: () => {
      if (!takesPictures) return layersOf(likelyGraph(file), file);
      const { input, preprocess } = size(options.side);
      const shape = inputShape(input, input.batch ?? 1, preprocess);
      return layersOf(likelyGraph(file, new Map([[input.name, shape]])), file);
    },
    prepare: async (train, heldout, host: TaskHost, tell?: Tell) => {
      const arrays = train.paths.some(isArrayFile) && imagePaths(train).length === 0;
      if (arrays || !takesPictures) {
        const { loss, delta, output } = options;
        const generic = { ...genericDefaults, loss, delta, output, order: 'shuffled' as const };
        return prepareArrays(file, { ...job, options: generic }, train, heldout, tell);
      }
      const free = options.side === 0 && config === null;
      const { input, preprocess } = size(free ? ((await firstSide(train)) ?? 0) : options.side);
      const program = pictureProgram(file, input, job.train.batch, preprocess, options);
      return preparePictures({ job, input, program, preprocess }, train, heldout, host, tell);
    },
  };
}

export const task: Task = { id: 'pairs', open };
