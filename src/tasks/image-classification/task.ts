/** @file Image classification: pictures and labels in, a class out. */
import type { FileSet } from '#src/tasks/files.ts';
import { openSingle } from '#src/tasks/generic/model.ts';
import { preprocessing, readPreprocessor } from '#src/tasks/images/preprocess.ts';
import { oneFile, withDefaults } from '#src/tasks/opened.ts';
import type { OpenModel, Task, TaskHost, TaskJob, TaskModel, Tell } from '#src/tasks/types.ts';
import { askPictures } from './ask.ts';
import { Classifier } from './classifier.ts';
import { listedNames, readClassNames } from '#src/tasks/classification/classes.ts';
import { classificationDefaults } from './info.ts';
import { pictureInput } from '#src/tasks/images/pictureInput.ts';
import { prepareImages } from './prepare.ts';

async function open(files: FileSet, openModel: OpenModel, given: TaskJob): Promise<TaskModel> {
  const job = withDefaults(given, classificationDefaults);
  const { options } = job;
  const file = await openSingle(files, openModel);
  const input = pictureInput(file.model, file.path, options);
  const config = await readPreprocessor(files, file.path);
  const preprocess = preprocessing(config, { ...input, normalise: options.normalise, asked: options });
  const names = listedNames(job.options) ?? (await readClassNames(files, file.path));
  const classifier = new Classifier(file, job, input, preprocess, names).withHead();
  return {
    ...oneFile(file, classifier.file),
    layers: () => classifier.layers(),
    prepare: (train: FileSet, heldout: FileSet | null, host: TaskHost, tell?: Tell) =>
      prepareImages(classifier, train, heldout, host, tell),
    ask: (question, adapted, host, tell) => askPictures(classifier, question, adapted, host, tell),
  };
}

export const task: Task = { id: 'image-classification', open };
