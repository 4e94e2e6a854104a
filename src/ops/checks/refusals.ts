/** @file Operators that Rotune knows and does not train through: the reason and the way out, by name. */
import { refused } from '../entries/expansion.ts';
import type { OperatorTable } from '../types.ts';

const reasons: readonly (readonly [string, string])[] = [
  [
    'LSTM GRU RNN com.microsoft::DynamicQuantizeLSTM',
    'recurrent layers are not supported: their gradient runs through every step of the sequence. Export the model with the steps written out, or take one without recurrence (attention or convolutions).',
  ],
  [
    'Loop Scan SequenceMap',
    'loops are not supported: how often they run may depend on the input data, but the graph must be the same for all. Export the model with fixed sizes, so that the exporter writes the steps out.',
  ],
  [
    'Optional OptionalGetElement OptionalHasElement',
    'optional values are not supported. Export the model with all of its inputs given.',
  ],
  [
    'RandomNormal RandomNormalLike RandomUniform RandomUniformLike Bernoulli Multinomial',
    'random numbers inside the model are not supported. Export it in evaluation mode (model.eval()), or make the noise an input.',
  ],
  [
    'NonMaxSuppression Unique',
    'how much it gives depends on the input data, but the graph needs fixed shapes. Export the part of the model before it, and train that.',
  ],
  [
    'SoftmaxCrossEntropyLoss NegativeLogLikelihoodLoss',
    'the model holds its own loss. Export it without: training adds the loss of the chosen task.',
  ],
  [
    'ImageDecoder',
    'reading picture files inside the model is not supported. Export the model from its pixels on.',
  ],
  [
    'StringNormalizer StringConcat StringSplit RegexFullMatch TfIdfVectorizer',
    'text inside the model is not supported. Export the model from its token ids on.',
  ],
  [
    'com.microsoft::MatMulInteger16 com.microsoft::QLinearReduceMean RoiAlign MaxRoiPool DeformConv Det MaxUnpool TensorScatter BitCast LinearAttention CausalConvWithState SwiGLU',
    'this operator is not supported yet. Export the model with it written out in simpler ones, or ask for it in an issue.',
  ],
];

export const refusals: OperatorTable = Object.fromEntries(
  reasons.flatMap(([names, reason]) => names.split(' ').map((op) => [op, refused(reason)] as const)),
);
