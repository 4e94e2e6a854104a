/** @file What the classifier says of pictures that a person shows it. */
import { sharesOf } from '#src/tasks/classification/shares.ts';
import { eachAsked } from '#src/tasks/images/asked.ts';
import type { Adapted, Answers, Question, TaskHost, Tell } from '#src/tasks/types.ts';
import type { Classifier } from './classifier.ts';
import { pixelBatch } from './pixelBatch.ts';

/** Throws DataError where there is no picture. */
export async function askPictures(
  classifier: Classifier,
  { files, classes, newHead = false }: Question,
  adapted: Adapted,
  host: TaskHost,
  tell: Tell,
): Promise<Answers> {
  const { input, preprocess } = classifier;
  const batch = input.batch ?? 1;
  const names = classes ?? classifier.classNames();
  const kind = newHead ? 'new' : 'keep';
  const { graph, logits } = classifier.graph(batch, { kind, names });
  const run = await adapted.run('ask', graph);
  const items = await eachAsked(files, host, preprocess.frame, tell, async (frame) => {
    const out = await run({ [input.name]: pixelBatch(classifier, [frame], batch) });
    return { shares: sharesOf((out[logits.name] as Float32Array).subarray(0, names.length), names) };
  });
  return { items };
}
