/** @file Which inputs and outputs operators have, over all their versions (the schemas of ONNX and of ONNX Runtime's own operators). */
import { GraphError } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';

/**
 * Inputs, outputs, names. A letter for each: s must be there, o may be left out (in one version at least), * stands for any number more.
 * Held to the schemas by a test (e2e/golden/arity).
 */
const table: readonly (readonly [string, string, string])[] = [
  ['', 's', 'Constant RandomNormal RandomUniform SequenceEmpty'],
  ['o', 's', 'Optional OptionalHasElement'],
  ['oo*', 's*', 'Scan'],
  ['ooo*', 's*', 'Loop'],
  [
    's',
    's',
    'Abs Acos Acosh ArgMax ArgMin Asin Asinh Atan Atanh AveragePool Bernoulli BitCast BitwiseNot BlackmanWindow Cast Ceil Celu ConcatFromSequence ConstantOfShape Cos Cosh DepthToSpace Det Elu Erf Erfc Exp EyeLike Flatten Floor Gelu GlobalAveragePool GlobalLpPool GlobalMaxPool HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity ImageDecoder IsInf IsNaN LRN LeakyRelu Log LogSoftmax LpNormalization LpPool MeanVarianceNormalization Mish Multinomial Neg NonZero Not OptionalGetElement RandomNormalLike RandomUniformLike Reciprocal RegexFullMatch Relu Round Selu SequenceLength Shape Shrink Sigmoid Sign Sin Sinh Size Softmax Softplus Softsign SpaceToDepth Sqrt StringNormalizer Swish Tan Tanh TfIdfVectorizer ThresholdedRelu Transpose ai.onnx.ml::Scaler ai.onnx.ml::ZipMap com.microsoft::Gelu com.microsoft::NhwcMaxPool com.microsoft::QuickGelu',
  ],
  ['s', 's*', 'If'],
  ['s', 'so', 'MaxPool'],
  ['s', 'sooo', 'Unique'],
  ['s', 'ss', 'StringSplit'],
  ['s', 'sss', 'DynamicQuantizeLinear'],
  ['s*', 's', 'Concat Einsum Max Mean Min SequenceConstruct Sum'],
  ['s*', 's*', 'SequenceMap'],
  [
    'so',
    's',
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare SequenceErase SplitToSequence Squeeze Trilu Unsqueeze Upsample com.microsoft::FastGelu',
  ],
  ['so', 's*', 'Split'],
  ['so', 'ss', 'TopK'],
  ['soo', 's', 'Clip DFT'],
  ['soo', 'so', 'Dropout'],
  ['sooo', 's', 'Pad Resize'],
  ['soooo', 's', 'Slice'],
  ['sooooooooo', 'sooo', 'com.microsoft::MultiHeadAttention'],
  [
    'ss',
    's',
    'Add AffineGrid And BitShift BitwiseAnd BitwiseOr BitwiseXor CastLike CenterCropPad Compress CumProd CumSum Div Equal Expand Gather GatherElements GatherND Greater GreaterOrEqual GridSample Less LessOrEqual MatMul MaxRoiPool Mod Mul Or PRelu Pow RMSNormalization Reshape ReverseSequence SequenceAt StringConcat Sub Tile Xor ai.onnx.ml::ArrayFeatureExtractor com.microsoft::BiasGelu com.microsoft::BiasSplitGelu com.microsoft::FusedMatMul com.microsoft::MatMulInteger16 com.microsoft::TransposeMatMul',
  ],
  [
    'sso',
    's',
    'Conv ConvTranspose DequantizeLinear Gemm MaxUnpool NegativeLogLikelihoodLoss QuantizeLinear SequenceInsert TensorScatter com.microsoft::DequantizeLinear com.microsoft::FusedGemm com.microsoft::GemmFastGelu com.microsoft::NhwcConv com.microsoft::QuantizeLinear',
  ],
  ['sso', 'so', 'SoftmaxCrossEntropyLoss'],
  ['sso', 'soo', 'LayerNormalization'],
  ['ssoo', 's', 'ConvInteger MatMulInteger STFT com.microsoft::FusedConv'],
  ['ssooo', 's', 'NonMaxSuppression'],
  ['ssooooo', 'so', 'com.microsoft::Attention'],
  ['ss', 'so', 'SimplifiedLayerNormalization'],
  [
    'sss',
    's',
    'Col2Im GroupNormalization InstanceNormalization OneHot Range RoiAlign Scatter ScatterElements ScatterND Where com.microsoft::BiasAdd com.microsoft::GroupNorm',
  ],
  ['sss*', 's', 'com.microsoft::QLinearConcat'],
  ['ssso', 's', 'RotaryEmbedding com.microsoft::GatherBlockQuantized'],
  ['ssso', 'sooo', 'com.microsoft::SkipSimplifiedLayerNormalization'],
  [
    'ssoso',
    's',
    'com.microsoft::QLinearAveragePool com.microsoft::QLinearLeakyRelu com.microsoft::QLinearReduceMean com.microsoft::QLinearSigmoid',
  ],
  ['sssoo', 's', 'DeformConv com.microsoft::DynamicQuantizeMatMul'],
  ['sssoo', 'sooo', 'com.microsoft::SkipLayerNormalization'],
  ['sssooo', 'oo', 'GRU RNN'],
  ['sssooo', 's', 'com.microsoft::MatMulNBits'],
  ['sssoooo', 'sooo', 'Attention'],
  ['sssooooo', 'ooo', 'LSTM'],
  ['sssooooossss', 'ooo', 'com.microsoft::DynamicQuantizeLSTM'],
  ['soooossoooooooooo', 'sooo', 'com.microsoft::GroupQueryAttention'],
  ['ssss', 's', 'com.microsoft::RotaryEmbedding'],
  ['ssoss', 's', 'com.microsoft::QLinearSoftmax'],
  ['sssso', 'so', 'com.microsoft::SkipGroupNorm'],
  ['ssssooo', 's', 'com.microsoft::MatMulIntegerToFloat'],
  ['sssss', 's', 'MelWeightMatrix com.microsoft::QLinearGlobalAveragePool'],
  ['sssss', 'soooo', 'BatchNormalization'],
  ['ssossoso', 's', 'com.microsoft::QLinearAdd com.microsoft::QLinearMul'],
  ['sossossoo', 'soo', 'com.microsoft::EmbedLayerNormalization'],
  ['sssssoooo', 'so', 'com.microsoft::QAttention'],
  ['ssssssooo', 's', 'com.microsoft::QGemm'],
  ['ssssssss', 's', 'QLinearMatMul'],
  ['sssssssso', 's', 'QLinearConv com.microsoft::QLinearConv'],
  ['sssssssss', 's', 'com.microsoft::QLinearWhere'],
  ['sossossossossssoss', 'ss', 'com.microsoft::QEmbedLayerNormalization'],
];

const arities = new Map(
  table.flatMap(([inputs, outputs, names]) =>
    names.split(' ').map((name) => [name, { inputs, outputs }] as const),
  ),
);

const fewest = (pattern: string): number => pattern.lastIndexOf('s') + 1;
const most = (pattern: string): number => (pattern.endsWith('*') ? Infinity : pattern.length);

/** "2", "1 to 3", "1 or more". */
function count(pattern: string): string {
  const [least, last] = [fewest(pattern), most(pattern)];
  if (last === Infinity) return `${least} or more`;
  return least === last ? String(least) : `${least} to ${last}`;
}

/** Throws GraphError for an operator with inputs or outputs that no version of it can have, or without one that all of them need. */
export function checkArity(node: Node): void {
  const arity = arities.get(node.domain === '' ? node.op : `${node.domain}::${node.op}`);
  if (!arity) return;
  const damaged = (what: string): GraphError =>
    new GraphError(
      `${node.op} ${node.name || node.outputs.find((o) => o !== '') || ''} ${what}. The file is damaged; export the model again.`,
    );
  const { inputs, outputs } = arity;
  const given = node.inputs.findLastIndex((name) => name !== '') + 1;
  if (given < fewest(inputs) || given > most(inputs))
    throw damaged(`has ${given} ${given === 1 ? 'input' : 'inputs'}, but takes ${count(inputs)}`);
  const missing = node.inputs.findIndex((name, i) => name === '' && inputs[i] === 's');
  if (missing >= 0) throw damaged(`lacks its input ${missing + 1}, which it cannot do without`);
  const made = node.outputs.length;
  if (made < fewest(outputs) || made > most(outputs))
    throw damaged(`has ${made} ${made === 1 ? 'output' : 'outputs'}, but gives ${count(outputs)}`);
}
