/** @file Whole weight differences under `.diff`. */
import { FormatError } from '../../errors.ts';
import { foreignMessage } from '../foreignAdapters.ts';
import { type AdapterKind, oneFile } from '../kind.ts';
import { diffFit, readDiff, writeDiff } from '../lycoris/diff.ts';
import { hasOftBlocks, hasOftR } from '../whose.ts';

export const kind: AdapterKind = {
  words: {
    name: 'Weight differences',
    file: 'Every weight’s change in full: large, and read by whatever takes .diff keys.',
    place: 'ComfyUI and A1111 take it from the same folders as a LoRA.',
  },
  rank: 7,
  suffix: '-diff',
  holds: 'differences',
  tasks: ['diffusion'],
  fit: diffFit,
  write: async ({ layers, weight, meta }) => {
    if (!weight)
      throw new FormatError(
        'Weight differences need the model’s weights, which were not given. Open the model again.',
      );
    return oneFile(await writeDiff(layers, weight, meta));
  },
  // Other adapters may hold differences of a few layers beside their own keys.
  recognises: ({ keys }) =>
    keys.some((key) => key.endsWith('.diff')) &&
    !hasOftBlocks(keys) &&
    !hasOftR(keys) &&
    foreignMessage(keys) === undefined,
  read: ({ file }, layers) => readDiff(file, layers),
};
