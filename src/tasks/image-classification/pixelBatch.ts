/** @file Pictures as the batch that a classifier is fed: the same way whether they are trained on, judged or tried. */
import type { Change } from '#src/tasks/images/augment.ts';
import { asFed } from '#src/tasks/images/pictureInput.ts';
import type { Frame } from '#src/tasks/images/store.ts';
import { writePixels } from '#src/tasks/images/tensor.ts';
import type { Classifier } from './classifier.ts';

/**
 * @param frames one at least; the last fills the batch up
 * @param change what is varied of the frame at a place; absent: nothing
 */
export function pixelBatch(
  { preprocess, input }: Pick<Classifier, 'preprocess' | 'input'>,
  frames: readonly Frame[],
  batch: number,
  change?: (place: number) => Change,
): Float32Array | Uint8Array {
  const each = input.channels * preprocess.width * preprocess.height;
  const out = new Float32Array(batch * each);
  for (let i = 0; i < batch; i++)
    writePixels(frames[Math.min(i, frames.length - 1)]!, preprocess, input, out, i * each, change?.(i));
  return asFed(input, out);
}
