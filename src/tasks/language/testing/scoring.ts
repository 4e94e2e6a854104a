/** @file A model whose scores of the next token are whatever a test says of the text before it, asked whole or place by place. */
import { sizeOf } from '#src/onnx/tensor.ts';
import type { Adapted, Tensors } from '#src/tasks/types.ts';
import { rowsFeed } from '../cache/incremental.ts';

/** @param scores of the token after a text, [words] */
export const scoring = (scores: (text: readonly number[], words: number) => Float32Array): Adapted => ({
  run: (_, { inputs, outputs }) => {
    const [first, ...caches] = outputs;
    const words = first!.shape.at(-1)!;
    const [batch, length] = inputs.find((v) => v.name === 'input_ids')!.shape as [number, number];
    return Promise.resolve((feeds: Tensors) => {
      const ids = Array.from(feeds['input_ids'] as Int32Array, Number);
      const rows = feeds[rowsFeed] as Int32Array | undefined;
      // Places are counted over all rows of a batch.
      const places = [...(rows ?? (feeds['places'] as Int32Array))];
      const found = places.map((place) => {
        const row = Math.min(batch - 1, Math.floor(place / length));
        return scores(ids.slice(row * length, place + 1), words);
      });
      const out = new Float32Array(sizeOf(first!.shape));
      found.forEach((row, i) => out.set(row, i * words));
      return Promise.resolve(
        Object.fromEntries([
          [first!.name, out],
          ...caches.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))] as const),
        ]),
      );
    });
  },
});
