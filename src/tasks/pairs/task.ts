/** @file Pairs: picture to picture, or vector to vector. */
import type { FileSet } from '#src/tasks/files.ts';
import { layersOf, likelyGraph, openSingle } from '#src/tasks/generic/model.ts';
import { prepareArrays } from '#src/tasks/generic/prepare.ts';
import { genericDefaults } from '#src/tasks/generic/info.ts';
import { isArrayFile } from '#src/tasks/arrays/files.ts';
import { imagePaths } from '#src/tasks/images/list.ts';
import { inputShape, pictureInput } from '#src/tasks/images/pictureInput.ts';
import { preprocessing, readPreprocessor } from '#src/tasks/images/preprocess.ts';
import { shownSize } from '#src/tasks/images/orientation.ts';
import type { PictureOptions } from '#src/tasks/images/options.ts';
import { largestFile, probeImage } from '#src/tasks/images/probe.ts';
import { oneFile, withDefaults } from '#src/tasks/opened.ts';
import type { OpenModel, Task, TaskHost, TaskJob, TaskModel, Tell } from '#src/tasks/types.ts';
import { askArrays } from '#src/tasks/generic/ask.ts';
import { askPairs } from './ask.ts';
import { pairsDefaults } from './info.ts';
import { preparePictures } from './prepare.ts';
import { pictureProgram } from './program.ts';

/** Size of the first picture whose header says it, in steps of 8 so that halving layers fit, its longer side at most 512; null: none does. */
async function firstSize(files: FileSet): Promise<Partial<PictureOptions> | null> {
  for (const path of imagePaths(files).slice(0, 20)) {
    if ((await files.size(path)) > largestFile) continue;
    const bytes = await files.read(path);
    const header = probeImage(bytes);
    const size = header && (await shownSize(bytes, header));
    if (!size || Math.min(size.width, size.height) < 8) continue;
    const scale = Math.min(1, 512 / Math.max(size.width, size.height));
    const step = (n: number): number => Math.max(8, 8 * Math.floor((n * scale) / 8));
    return { width: step(size.width), height: step(size.height) };
  }
  return null;
}

async function open(files: FileSet, openModel: OpenModel, given: TaskJob): Promise<TaskModel> {
  const job = withDefaults(given, pairsDefaults);
  const { options } = job;
  const file = await openSingle(files, openModel);
  const config = await readPreprocessor(files, file.path);
  const takesPictures = file.model.graph.inputs.some((v) => v.shape?.length === 4);
  const size = (free: Partial<PictureOptions> = {}) => {
    const input = pictureInput(file.model, file.path, options);
    const normalise = options.normalise === 'auto' && !config ? 'none' : options.normalise;
    const preprocess = preprocessing(config, { ...input, normalise, asked: { ...options, ...free } });
    // No margin: input and target must show the same part.
    const { width, height } = preprocess;
    const fit = preprocess.frame.fit === 'shortest' ? 'crop' : preprocess.frame.fit;
    const frame = { ...preprocess.frame, width, height, ...(fit && { fit }) };
    return { input, preprocess: { ...preprocess, frame } };
  };
  const { side, width, height } = options;
  const free = side === 0 && width === 0 && height === 0 && config === null;
  /** What the first pictures of the data say, where nothing else says a size: what is tried is brought to the same. */
  let said: Partial<PictureOptions> | null = null;
  const ofArrays = (files: FileSet): boolean =>
    !takesPictures || (files.paths.some(isArrayFile) && imagePaths(files).length === 0);
  return {
    ...oneFile(file),
    layers: () => {
      if (!takesPictures) return layersOf(likelyGraph(file), file);
      const { input, preprocess } = size();
      const shape = inputShape(input, input.batch ?? 1, preprocess);
      return layersOf(likelyGraph(file, new Map([[input.name, shape]])), file);
    },
    prepare: async (train, heldout, host: TaskHost, tell?: Tell) => {
      if (ofArrays(train)) {
        const { loss, delta, output } = options;
        const generic = { ...genericDefaults, loss, delta, output, order: 'shuffled' as const };
        return prepareArrays(file, { ...job, options: generic }, train, heldout, tell);
      }
      said = free ? await firstSize(train) : null;
      const { input, preprocess } = size(said ?? {});
      const program = pictureProgram(file, input, job.train.batch, preprocess, options);
      return preparePictures(
        { path: file.path, job, input, program, preprocess },
        train,
        heldout,
        host,
        tell,
      );
    },
    ask: async ({ files: given }, adapted, host, tell) => {
      if (!given || ofArrays(given))
        return askArrays(file, given, { batch: job.train.batch, output: options.output }, adapted, tell);
      const { input, preprocess } = size(said ?? (free ? ((await firstSize(given)) ?? {}) : {}));
      const program = pictureProgram(file, input, input.batch ?? 1, preprocess, options);
      return askPairs({ path: file.path, input, program, preprocess }, given, adapted, host, tell);
    },
  };
}

export const task: Task = { id: 'pairs', open };
