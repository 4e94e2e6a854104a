/** @file Operators of the standard domain and of ONNX Runtime's that import writes out, under their exact names. */
import { Attention } from './attention.ts';
import { contribAttention, MultiHeadAttention } from './attentionContrib.ts';
import { GroupQueryAttention } from './attentionGroupQuery.ts';
import { contribRotaryEmbedding, RotaryEmbedding } from './rotary.ts';
import type { OperatorTable } from './types.ts';

export const expansions: OperatorTable = {
  Attention,
  RotaryEmbedding,
  'com.microsoft::Attention': contribAttention,
  'com.microsoft::GroupQueryAttention': GroupQueryAttention,
  'com.microsoft::MultiHeadAttention': MultiHeadAttention,
  'com.microsoft::RotaryEmbedding': contribRotaryEmbedding,
};
