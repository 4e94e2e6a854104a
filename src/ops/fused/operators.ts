/** @file Attention, quantisation and ONNX Runtime's fused operators under their exact names; most are written out at import. */
import { Attention } from '../attention/attention.ts';
import { contribAttention, MultiHeadAttention } from '../attention/contrib.ts';
import { GroupQueryAttention } from '../attention/groupQuery.ts';
import {
  BiasAdd,
  BiasSplitGelu,
  FusedConv,
  FusedGemm,
  FusedMatMul,
  GemmFastGelu,
  NhwcConv,
} from './products.ts';
import { EmbedLayerNormalization } from './embedLayerNorm.ts';
import { expanded } from '../entries/expansion.ts';
import { GatherBlockQuantized, MatMulNBits } from '../quantised/matmulNBits.ts';
import { DequantizeLinear, DynamicQuantizeLinear, QuantizeLinear } from '../quantised/quantise.ts';
import { contribRotaryEmbedding, RotaryEmbedding } from '../attention/rotary.ts';
import {
  contribSimplifiedLayerNormalization,
  GroupNorm,
  SkipGroupNorm,
  SkipLayerNormalization,
  SkipSimplifiedLayerNormalization,
} from './skipNorm.ts';
import type { Operator, OperatorTable } from '../types.ts';

/** The standard operator of that name, for the runtime's copy of it. */
const standard = (op: string): Operator =>
  expanded((g, node, inputs) => [g.emit(op, inputs, node.attributes, { name: node.name })]);

/** Of the runtime's own domain. */
const contrib: OperatorTable = {
  Attention: contribAttention,
  BiasAdd,
  BiasSplitGelu,
  DequantizeLinear: standard('DequantizeLinear'),
  EmbedLayerNormalization,
  FusedConv,
  FusedGemm,
  FusedMatMul,
  GatherBlockQuantized,
  GemmFastGelu,
  GroupNorm,
  GroupQueryAttention,
  MatMulNBits,
  MultiHeadAttention,
  NhwcConv,
  QuantizeLinear: standard('QuantizeLinear'),
  RotaryEmbedding: contribRotaryEmbedding,
  SimplifiedLayerNormalization: contribSimplifiedLayerNormalization,
  SkipGroupNorm,
  SkipLayerNormalization,
  SkipSimplifiedLayerNormalization,
  TransposeMatMul: FusedMatMul,
};

export const expansions: OperatorTable = {
  Attention,
  DequantizeLinear,
  DynamicQuantizeLinear,
  QuantizeLinear,
  RotaryEmbedding,
  ...Object.fromEntries(Object.entries(contrib).map(([op, entry]) => [`com.microsoft::${op}`, entry])),
};
