/** @file The whole model with the rotations merged into its weights. */
import { FormatError } from '../../errors.ts';
import { mergedFit } from '../../onnx/mergedFit.ts';
import type { AdapterKind } from '../kind.ts';

export const kind: AdapterKind = {
  words: {
    name: 'ONNX Runtime',
    file: 'The whole model with the rotations worked into its weights, or beside those that are packed in few bits.',
    place:
      'It takes the place of the model’s own .onnx file. No adapter is needed any more, and none can be taken out.',
  },
  rank: 5,
  suffix: '-merged',
  holds: 'model',
  head: () => [],
  fit: mergedFit,
  write: async ({ layers, model, whole = [] }) => {
    if (!model) throw new FormatError('Merging needs the model, which was not given. Open it again.');
    const { writeMergedOnnx } = await import('../../onnx/mergedOnnx.ts');
    return writeMergedOnnx(layers, model, whole);
  },
};
