/** @file The merged model with its weights stored in half precision. */
import { mergedHalfFit } from '../../onnx/mergedFit.ts';
import type { AdapterKind } from '../kind.ts';
import { kind as whole } from './onnx.ts';

export const kind: AdapterKind = {
  ...whole,
  words: {
    name: 'ONNX Runtime, half size',
    file: 'The same model with its weights in float16: half as large, computed in float32.',
    place: 'As above; differences of about a thousandth are to be expected.',
  },
  rank: 6,
  suffix: '-merged-fp16',
  fit: mergedHalfFit,
  write: (input) =>
    whole.write({ ...input, ...(input.model && { model: { ...input.model, precision: 'float16' } }) }),
};
