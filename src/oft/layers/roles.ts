/** @file A layer's part in the network, as far as its name tells: diffusers, Stable Diffusion's own names, transformers, timm, torchvision. */
import type { Layer, Role } from '../types.ts';

/** Whole segments of a dotted path, anywhere in it or at its end. */
const anywhere = (names: string): RegExp => new RegExp(String.raw`(?:^|\.)(?:${names})(?:\.|$)`);
const last = (names: string): RegExp => new RegExp(String.raw`(?:^|\.)(?:${names})$`);
const whole = (names: string): RegExp => new RegExp(String.raw`^(?:${names})$`);

interface Sign {
  readonly role: Role;
  readonly pattern: RegExp;
  readonly kind?: Layer['kind'];
}

/** In order: the first that fits decides. A layer of query, key and value in one counts as query. */
const signs: readonly Sign[] = [
  {
    role: 'time-embedding',
    pattern: anywhere(
      'time_embedding|time_embed|time_embedder|time_emb_proj|time_mlp|time_proj|timestep_embedd(?:er|ing)|t_embedder|' +
        'time_text_embed|add_embedding|emb_layers|label_emb|time_in|guidance_in|guidance_embedder',
    ),
  },
  {
    role: 'query',
    pattern: last(
      'to_q|q_proj|query|q_lin|q|add_q_proj|query_proj|q_attn|wq|to_qkv|qkv|qkv_proj|c_attn|query_key_value|in_proj|Wqkv',
    ),
  },
  { role: 'key', pattern: last('to_k|k_proj|key|k_lin|k|add_k_proj|key_proj|wk|to_kv|kv') },
  { role: 'value', pattern: last('to_v|v_proj|value|v_lin|v|add_v_proj|value_proj|wv') },
  // T5's feed-forward has a wo, BERT's attention an output.dense like its feed-forward.
  { role: 'feed-forward', pattern: anywhere('DenseReluDense') },
  {
    role: 'attention-out',
    pattern: last(
      String.raw`to_out(?:\.0)?|to_add_out|out_proj|o_proj|out_lin|wo|(?:attn|attention|self_attention|self_attn)\.(?:output\.)?dense|` +
        String.raw`(?:SelfAttention|EncDecAttention)\.o|\w*attn\w*\.(?:proj|c_proj)|attn_\d+\.proj_out`,
    ),
  },
  {
    role: 'head',
    pattern: anywhere(
      'lm_head|embed_out|classifier|pre_classifier|head|heads|score|qa_outputs|conv_out|final_layer',
    ),
  },
  {
    role: 'head',
    pattern: whole(String.raw`(?:.*\.)?(?:out\.2|fc)|proj_out|(?:.*\.)?cls\.predictions\.decoder`),
  },
  {
    role: 'feed-forward',
    pattern: anywhere(String.raw`\w*mlp|ff|ff_context|ffn|feed_?forward|intermediate|experts|shared_expert`),
  },
  { role: 'feed-forward', pattern: last(String.raw`layer\.\d+\.output\.dense|proj_mlp|c_fc|w[123]`) },
  {
    role: 'feed-forward',
    kind: 'linear',
    pattern: last(
      'fc1|fc2|lin1|lin2|linear1|linear2|dense_h_to_4h|dense_4h_to_h|gate_proj|up_proj|down_proj|gate_up_proj',
    ),
  },
  {
    role: 'input',
    pattern: anywhere(
      'conv_in|conv_stem|patch_embed|patch_embedding|patch_embeddings|x_embedder|context_embedder|stem|embedder|img_in|txt_in',
    ),
  },
  {
    role: 'input',
    pattern: whole(
      String.raw`(?:.*\.)?(?:input_blocks\.0\.0|conv_proj|encoder\.conv1)|conv1|features\.(?:0(?:\.0)?|conv0)`,
    ),
  },
  {
    role: 'residual-conv',
    kind: 'conv',
    pattern: anywhere(
      String.raw`resnets|resblocks?|res_blocks?|in_layers|out_layers|skip_connection|conv_shortcut|nin_shortcut|shortcut|` +
        String.raw`layer\d+\.\d+|stages\.\d+\.(?:blocks|layers)\.\d+|denselayer\d+`,
    ),
  },
  {
    role: 'residual-conv',
    kind: 'conv',
    pattern: last(
      String.raw`blocks?\.\d+(?:\.\d+)?\.conv\w*|features\.\d+(?:\.\d+)?\.(?:conv|block)\.\d+(?:\.\d+)?`,
    ),
  },
  {
    role: 'sampling',
    pattern: anywhere(String.raw`downsamplers?|upsamplers?|downsample|upsample|transition\d*|reduction`),
  },
  { role: 'sampling', pattern: last(String.raw`input_blocks\.\d+\.0\.op|output_blocks\.\d+\.\d+\.conv`) },
  {
    role: 'projection',
    pattern: anywhere(
      'proj_in|proj_out|text_projection|visual_projection|projection|pooler|proj|encoder_hid_proj|conv_head|quant_conv|post_quant_conv',
    ),
  },
];

const known = new WeakMap<Layer, Role>();

/** What the name tells of a layer's role; `other` where it tells nothing. */
export function roleOf(layer: Layer): Role {
  let role = known.get(layer);
  if (role === undefined) {
    role =
      signs.find(
        ({ pattern, kind }) =>
          (kind === undefined || kind === layer.kind) &&
          (pattern.test(layer.path) || (layer.module !== undefined && pattern.test(layer.module.path))),
      )?.role ?? 'other';
    known.set(layer, role);
  }
  return role;
}
