import { expect, it } from 'vitest';
import { roleOf } from './roles.ts';
import { conv, linear } from '../testing/layers.ts';
import type { Role } from '../types.ts';

/** Paths as torch names them; convolutions have a * before. */
const cases: Record<string, readonly (readonly [Role, readonly string[]])[]> = {
  'a diffusers UNet': [
    ['input', ['*conv_in']],
    [
      'time-embedding',
      ['time_embedding.linear_1', 'down_blocks.0.resnets.0.time_emb_proj', 'add_embedding.linear_2'],
    ],
    ['query', ['down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q']],
    ['key', ['mid_block.attentions.0.transformer_blocks.0.attn2.to_k']],
    ['value', ['up_blocks.1.attentions.2.transformer_blocks.0.attn2.to_v']],
    ['attention-out', ['down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0']],
    [
      'feed-forward',
      ['down_blocks.0.attentions.0.transformer_blocks.0.ff.net.0.proj', 'x.transformer_blocks.0.ff.net.2'],
    ],
    ['projection', ['*down_blocks.0.attentions.0.proj_in', 'down_blocks.0.attentions.0.proj_out']],
    ['residual-conv', ['*down_blocks.0.resnets.0.conv1', '*up_blocks.0.resnets.2.conv_shortcut']],
    ['sampling', ['*down_blocks.0.downsamplers.0.conv', '*up_blocks.0.upsamplers.0.conv']],
    ['head', ['*conv_out']],
  ],
  'Stable Diffusion’s own names': [
    ['input', ['*model.diffusion_model.input_blocks.0.0', '*input_blocks.0.0']],
    ['time-embedding', ['time_embed.0', 'input_blocks.1.0.emb_layers.1', 'label_emb.0.0']],
    [
      'residual-conv',
      ['*input_blocks.1.0.in_layers.2', '*middle_block.0.out_layers.3', '*output_blocks.3.0.skip_connection'],
    ],
    ['sampling', ['*input_blocks.3.0.op', '*output_blocks.2.1.conv']],
    ['query', ['input_blocks.4.1.transformer_blocks.0.attn1.to_q']],
    ['projection', ['*input_blocks.4.1.proj_in']],
    ['head', ['*model.diffusion_model.out.2']],
  ],
  'diffusion transformers': [
    ['query', ['transformer_blocks.0.attn.add_q_proj', 'double_blocks.0.img_attn.qkv']],
    ['attention-out', ['transformer_blocks.0.attn.to_add_out', 'double_blocks.0.txt_attn.proj']],
    [
      'feed-forward',
      [
        'transformer_blocks.0.ff_context.net.2',
        'single_transformer_blocks.3.proj_mlp',
        'double_blocks.0.img_mlp.0',
      ],
    ],
    ['input', ['x_embedder', 'context_embedder']],
    ['time-embedding', ['time_text_embed.timestep_embedder.linear_1']],
    ['head', ['proj_out', 'final_layer.linear']],
    ['projection', ['single_transformer_blocks.3.proj_out']],
    ['other', ['transformer_blocks.0.norm1.linear']],
  ],
  CLIP: [
    ['query', ['text_model.encoder.layers.0.self_attn.q_proj']],
    ['attention-out', ['text_model.encoder.layers.11.self_attn.out_proj']],
    ['feed-forward', ['text_model.encoder.layers.0.mlp.fc1', 'text_model.encoder.layers.0.mlp.fc2']],
    ['input', ['*vision_model.embeddings.patch_embedding']],
    ['projection', ['text_projection', 'visual_projection']],
  ],
  'BERT and DistilBERT': [
    [
      'query',
      ['bert.encoder.layer.0.attention.self.query', 'distilbert.transformer.layer.0.attention.q_lin'],
    ],
    ['value', ['encoder.layer.3.attention.self.value']],
    ['attention-out', ['encoder.layer.0.attention.output.dense', 'transformer.layer.0.attention.out_lin']],
    [
      'feed-forward',
      ['encoder.layer.0.intermediate.dense', 'encoder.layer.0.output.dense', 'transformer.layer.0.ffn.lin1'],
    ],
    ['projection', ['bert.pooler.dense']],
    ['head', ['classifier', 'cls.predictions.decoder', 'pre_classifier']],
  ],
  'GPT-2, Llama and T5': [
    [
      'query',
      [
        'transformer.h.0.attn.c_attn',
        'model.layers.0.self_attn.q_proj',
        'encoder.block.0.layer.0.SelfAttention.q',
      ],
    ],
    ['key', ['decoder.block.0.layer.1.EncDecAttention.k']],
    [
      'attention-out',
      [
        'transformer.h.0.attn.c_proj',
        'model.layers.0.self_attn.o_proj',
        'encoder.block.0.layer.0.SelfAttention.o',
      ],
    ],
    [
      'feed-forward',
      [
        'transformer.h.0.mlp.c_proj',
        'model.layers.0.mlp.gate_proj',
        'encoder.block.0.layer.1.DenseReluDense.wo',
        'gpt_neox.layers.0.mlp.dense_h_to_4h',
      ],
    ],
    ['head', ['lm_head']],
  ],
  'ViT, in transformers, timm and torchvision': [
    ['input', ['*vit.embeddings.patch_embeddings.projection', '*patch_embed.proj', '*conv_proj']],
    [
      'query',
      [
        'vit.encoder.layer.0.attention.attention.query',
        'blocks.0.attn.qkv',
        'encoder.layers.encoder_layer_0.self_attention.in_proj',
      ],
    ],
    [
      'attention-out',
      [
        'vit.encoder.layer.0.attention.output.dense',
        'blocks.0.attn.proj',
        'encoder.layers.encoder_layer_0.self_attention.out_proj',
      ],
    ],
    ['feed-forward', ['blocks.0.mlp.fc1', 'encoder.layers.encoder_layer_0.mlp.3']],
    ['head', ['head', 'heads.head', 'classifier']],
    ['sampling', ['layers.0.downsample.reduction']],
  ],
  'convolutional networks of timm, torchvision and transformers': [
    ['input', ['*conv1', '*features.0.0', '*conv_stem', '*resnet.embedder.embedder.convolution', '*stem.0']],
    [
      'residual-conv',
      [
        '*layer1.0.conv2',
        '*layer2.0.downsample.0',
        '*stages.1.blocks.0.conv_dw',
        '*blocks.1.0.conv_pw',
        '*features.2.conv.0.0',
        '*resnet.encoder.stages.0.layers.0.layer.0.convolution',
        '*features.denseblock1.denselayer1.conv1',
      ],
    ],
    ['sampling', ['*stages.1.downsample.1', '*features.transition1.conv']],
    ['head', ['fc', 'classifier.1', 'head.fc']],
    ['feed-forward', ['*stages.1.blocks.0.mlp.fc1']],
  ],
};

it.each(Object.entries(cases))('knows the roles of %s', (_, expected) => {
  const found = expected.map(([, paths]) =>
    paths.map((p) => `${p}: ${roleOf(p.startsWith('*') ? conv(p.slice(1), 8) : linear(p, 8))}`),
  );
  expect(found).toEqual(expected.map(([role, paths]) => paths.map((p) => `${p}: ${role}`)));
});

it('says other where the name tells nothing', () => {
  expect(['a', 'onnx_MatMul_12', 'queryable.thing'].map((p) => roleOf(linear(p, 8)))).toEqual([
    'other',
    'other',
    'other',
  ]);
});
