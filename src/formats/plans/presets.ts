/** @file LyCORIS's built-in presets as plans. */
import type { Plan } from '#src/oft/types.ts';
import { defaultPlan } from './plan.ts';
import { type Selection, selectionRules } from './selection.ts';

/** Blocks of diffusion transformers whose place in a model is known. */
const transformers = [
  'HunYuanDiTBlock',
  'DoubleStreamBlock',
  'SingleStreamBlock',
  'SingleDiTBlock',
  'MMDoubleStreamBlock',
  'MMSingleStreamBlock',
  'WanAttentionBlock',
  'HunyuanVideoTransformerBlock',
  'HunyuanVideoSingleTransformerBlock',
  'JointTransformerBlock',
  'FinalLayer',
  'QwenImageTransformerBlock',
  'PatchEmbed',
  'TimestepEmbedding',
];
const sampling = ['Downsample2D', 'Upsample2D'];
const unet = ['Transformer2DModel', 'ResnetBlock2D', ...sampling, ...transformers];
const textAttention = ['CLIPAttention', 'Gemma2Attention'];
const text = [
  ...textAttention,
  'CLIPMLP',
  'MT5Block',
  'BertLayer',
  'Gemma2MLP',
  'Qwen3Attention',
  'Qwen3MLP',
];

const ends = ['^conv_in', '^conv_out'];
const time = [String.raw`^time_embedding\.linear_[12]`];

/**
 * full: transformer, residual and sampling blocks, the first and last convolution and the time embedding, of UNet and text encoder.
 * full-lin: the same without convolutions larger than 1×1. attn-mlp: transformer blocks and the time embedding, and the text encoder.
 * attn-only: attention alone. unet-…: no text encoder; convblock: residual and sampling blocks.
 *
 * Two of them mean what LyCORIS's documentation says, not what version 4.1.3 does on a diffusers UNet: full, full-lin and unet-only stop
 * there at a duplicated name, and attn-only matches nothing. Classes of text encoders count in all attention or feed-forward layers of
 * encoders (CLIP) and decoders (Gemma, Qwen) alike.
 */
const selections = {
  full: { enableConv: true, classes: [...unet, ...text], names: [...ends, ...time] },
  'full-lin': {
    enableConv: false,
    classes: ['Transformer2DModel', 'ResnetBlock2D', ...transformers, ...text],
    names: time,
  },
  'attn-mlp': { enableConv: false, classes: ['Transformer2DModel', ...transformers, ...text] },
  'attn-only': {
    enableConv: false,
    classes: ['Attention', ...textAttention, 'BertAttention', 'MT5LayerSelfAttention'],
  },
  'unet-only': { enableConv: true, classes: unet, names: [...ends, ...time] },
  'unet-transformer-only': { enableConv: false, classes: ['Transformer2DModel', ...transformers] },
  'unet-convblock-only': { enableConv: true, classes: ['ResnetBlock2D', ...sampling], names: ends },
} as const satisfies Record<string, Selection>;

/** What LyCORIS targets where a preset file is silent: the lists of `full`. */
export const defaultTargets = {
  unet_target_module: unet,
  unet_target_name: ['conv_in', 'conv_out', 'time_embedding.linear_1', 'time_embedding.linear_2'],
  text_encoder_target_module: text,
  text_encoder_target_name: [],
} as const;

export type PresetName = keyof typeof selections;

export const presetNames = Object.keys(selections) as readonly PresetName[];

export const isPresetName = (name: string): name is PresetName => Object.hasOwn(selections, name);

/** What a preset selects. */
export const presetSelection = (name: PresetName): Selection => selections[name];

/** A preset as a plan: LyCORIS's Diag-OFT, dim 4 (its own default), where the rules say so; everything else is skipped. */
export const presetPlan = (name: PresetName): Plan => ({
  ...defaultPlan,
  rules: selectionRules(selections[name]),
});
