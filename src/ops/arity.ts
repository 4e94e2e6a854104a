/** @file How many inputs and outputs the standard operators have, over all their versions (ONNX operator schemas). */
import { GraphError } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';

/** Fewest and most inputs, fewest and most outputs, names. */
const table: readonly (readonly [number, number, number, number, string])[] = [
  [0, 0, 1, 1, 'Constant RandomNormal RandomUniform SequenceEmpty'],
  [0, 1, 1, 1, 'Optional OptionalHasElement'],
  [
    1,
    1,
    1,
    1,
    'Abs Acos Acosh ArgMax ArgMin Asin Asinh Atan Atanh AveragePool Bernoulli BitCast BitwiseNot BlackmanWindow Cast Ceil Celu ConcatFromSequence ConstantOfShape Cos Cosh DepthToSpace Det Elu Erf Exp EyeLike Flatten Floor Gelu GlobalAveragePool GlobalLpPool GlobalMaxPool HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity ImageDecoder IsInf IsNaN LRN LeakyRelu Log LogSoftmax LpNormalization LpPool MeanVarianceNormalization Mish Multinomial Neg NonZero Not OptionalGetElement RandomNormalLike RandomUniformLike Reciprocal RegexFullMatch Relu Round Selu SequenceLength Shape Shrink Sigmoid Sign Sin Sinh Size Softmax Softplus Softsign SpaceToDepth Sqrt StringNormalizer Swish Tan Tanh TfIdfVectorizer ThresholdedRelu Transpose',
  ],
  [1, 1, 1, 2, 'MaxPool'],
  [1, 1, 1, 4, 'Unique'],
  [1, 1, 1, Infinity, 'If'],
  [1, 1, 2, 2, 'StringSplit'],
  [1, 1, 3, 3, 'DynamicQuantizeLinear'],
  [
    1,
    2,
    1,
    1,
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Reshape SequenceErase SplitToSequence Squeeze Trilu Unsqueeze Upsample',
  ],
  [1, 2, 1, Infinity, 'Split'],
  [1, 2, 2, 2, 'TopK'],
  [1, 3, 1, 1, 'Clip DFT'],
  [1, 3, 1, 2, 'Dropout'],
  [1, 4, 1, 1, 'Pad Resize'],
  [1, 5, 1, 1, 'Slice'],
  [1, Infinity, 1, 1, 'Concat Einsum Max Mean Min SequenceConstruct Sum'],
  [1, Infinity, 1, Infinity, 'Scan SequenceMap'],
  [
    2,
    2,
    1,
    1,
    'Add AffineGrid And BitShift BitwiseAnd BitwiseOr BitwiseXor CastLike CenterCropPad Compress CumProd CumSum Div Equal Expand Gather GatherElements GatherND Greater GreaterOrEqual GridSample Less LessOrEqual MatMul MaxRoiPool Mod Mul Or PRelu Pow RMSNormalization ReverseSequence SequenceAt StringConcat Sub SwiGLU Xor',
  ],
  [
    2,
    3,
    1,
    1,
    'Conv ConvTranspose DequantizeLinear Gemm MaxUnpool NegativeLogLikelihoodLoss QuantizeLinear SequenceInsert TensorScatter Tile',
  ],
  [2, 3, 1, 2, 'SoftmaxCrossEntropyLoss'],
  [2, 3, 1, 3, 'LayerNormalization'],
  [2, 4, 1, 1, 'ConvInteger MatMulInteger STFT'],
  [2, 4, 2, 2, 'CausalConvWithState'],
  [2, 5, 1, 1, 'NonMaxSuppression'],
  [2, Infinity, 1, Infinity, 'Loop'],
  [
    3,
    3,
    1,
    1,
    'Col2Im GroupNormalization InstanceNormalization OneHot Range RoiAlign Scatter ScatterElements ScatterND Where',
  ],
  [3, 4, 1, 1, 'RotaryEmbedding'],
  [3, 5, 1, 1, 'DeformConv'],
  [3, 6, 0, 2, 'GRU RNN'],
  [3, 6, 2, 2, 'LinearAttention'],
  [3, 7, 1, 4, 'Attention'],
  [3, 8, 0, 3, 'LSTM'],
  [5, 5, 1, 1, 'MelWeightMatrix'],
  [5, 5, 1, 5, 'BatchNormalization'],
  [8, 8, 1, 1, 'QLinearMatMul'],
  [8, 9, 1, 1, 'QLinearConv'],
];

const arities = new Map(
  table.flatMap(([a, b, c, d, names]) => names.split(' ').map((name) => [name, [a, b, c, d] as const])),
);

/** Throws GraphError for a standard operator with too few or too many inputs or outputs: a damaged file. */
export function checkArity(node: Node): void {
  const arity = node.domain === '' ? arities.get(node.op) : undefined;
  if (!arity) return;
  const [fewest, most, fewestOut, mostOut] = arity;
  const { length: inputs } = node.inputs;
  const { length: outputs } = node.outputs;
  const given = node.inputs.findLastIndex((name) => name !== '') + 1;
  if (node.inputs.slice(0, fewest).includes('') || given < fewest || given > most)
    throw new GraphError(
      `${node.op} ${node.name} has ${inputs} inputs, but takes ${fewest === most ? fewest : `${fewest} to ${most}`}. The file is damaged; export the model again.`,
    );
  if (outputs < fewestOut || outputs > mostOut)
    throw new GraphError(
      `${node.op} ${node.name} has ${outputs} outputs, which it cannot have. The file is damaged; export the model again.`,
    );
}
