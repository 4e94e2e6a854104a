/** @file What the model makes of pictures that a person gives it. */
import type { FileSet } from '#src/tasks/files.ts';
import { eachAsked } from '#src/tasks/images/asked.ts';
import { asFed } from '#src/tasks/images/pictureInput.ts';
import { readPicture, writePixels } from '#src/tasks/images/tensor.ts';
import type { Adapted, Answers, TaskHost, Tell } from '#src/tasks/types.ts';
import { outputSize, type PicturePairs } from './prepare.ts';

/** @param pairs with a program of one picture at a time, or of as many as the file insists on */
export async function askPairs(
  pairs: Omit<PicturePairs, 'job'>,
  files: FileSet | null,
  adapted: Adapted,
  host: TaskHost,
  tell: Tell,
): Promise<Answers> {
  const { input, preprocess, program } = pairs;
  const { output, layout } = program;
  const batch = output.shape[0]!;
  const graph = { ...program.graph, outputs: [output] };
  const made = outputSize(pairs);
  const each = input.channels * preprocess.width * preprocess.height;
  const run = await adapted.run('ask', graph);
  const items = await eachAsked(files, host, preprocess.frame, tell, async (frame) => {
    const pixels = new Float32Array(batch * each);
    for (let i = 0; i < batch; i++) writePixels(frame, preprocess, input, pixels, i * each);
    const out = await run({ [input.name]: asFed(input, pixels) });
    return { made: readPicture(out[output.name] as Float32Array, 0, made, layout) };
  });
  return { items };
}
