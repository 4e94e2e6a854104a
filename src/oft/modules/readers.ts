/**
 * @file What each tool looks for in a file: the keys of those layers that its own module tree, or its table of names, has. Found by running the
 * tools and by their tables: ComfyUI comfy/lora.py, A1111 extensions-builtin/Lora, sd-scripts networks/oft_v2.py.
 */
import type { Layer } from '../types.ts';
import { flatName, textPrefix } from './keys.ts';
import { isText, moduleOf } from './tree.ts';

export type Tool = 'LyCORIS' | 'PEFT' | 'ComfyUI' | 'A1111 / Forge' | 'kohya sd-scripts' | 'OneTrainer';

const attention = String.raw`attn[12]\.(?:to_q|to_k|to_v|to_out\.0)|ff\.net\.(?:0\.proj|2)`;
/** Layers of diffusers' Transformer2DModel, ResnetBlock2D, Downsample2D and Upsample2D. */
const unetBlocks = new RegExp(
  String.raw`^(?:(?:down|up)_blocks\.\d+|mid_block)\.(?:attentions\.\d+\.(?:proj_in|proj_out|transformer_blocks\.\d+\.(?:${attention}))|` +
    String.raw`resnets\.\d+\.(?:conv1|conv2|time_emb_proj|conv_shortcut)|(?:down|up)samplers\.0\.conv)$`,
);
const unetRest = /^(?:conv_in|conv_out|(?:time|add|class)_embedding\.linear_[12])$/;

const clipLayer = /^text_model\.encoder\.layers\.(\d+)\.(?:self_attn\.(?:[qkv]|out)_proj|mlp\.fc[12])$/;

/** Layers that ComfyUI's tables translate from diffusers' names of SD3 and Flux. */
const transformerBlocks =
  /^(?:x_embedder|context_embedder|pos_embed\.proj|norm_out\.linear|proj_out|time_text_embed\.(?:timestep|text|guidance)_embedder\.linear_[12]|(?:single_)?transformer_blocks\.\d+\.(?:norm\w*\.linear\w*|attn2?\.(?:to_[qkv]|to_out\.0|to_add_out|add_[qkv]_proj)|ff(?:_context)?\.net\.(?:0\.proj|2)|proj_mlp|proj_out))$/;

/** A1111 counts three input and output blocks a level: two residual blocks and a sampler. */
function a1111Name(known: string): string | undefined {
  const m = /^(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\./.exec(known);
  if (m) {
    const block =
      m[1] === 'down'
        ? `input_blocks.${1 + 3 * Number(m[2]) + Number(m[4])}`
        : `output_blocks.${3 * Number(m[2]) + Number(m[4])}`;
    return `${block}.${m[3] === 'resnets' ? 0 : 1}.`;
  }
  const sampler = /^(down|up)_blocks\.(\d+)\.(?:down|up)samplers\.0\.conv$/.exec(known);
  if (sampler)
    return sampler[1] === 'down'
      ? `input_blocks.${3 * Number(sampler[2]) + 3}.0.op`
      : `output_blocks.${3 * Number(sampler[2]) + 2}.${Number(sampler[2]) > 0 ? 2 : 1}.conv`;
  return /^(?:mid_block|conv_in|conv_out|time_embedding)/.test(known) ? '' : undefined;
}

/** kohya's prefixes under which a tool finds a text encoder's layer. */
function textKeys(tool: Tool, layer: Layer): string[] {
  const { family, known, path } = moduleOf(layer);
  const number = Number(/\d+$/.exec(layer.part ?? '')?.[0] ?? 1);
  const keys = (...stems: string[]): string[] => stems.map((prefix) => flatName(prefix, known));
  if (tool === 'PEFT') return [`base_model.model.${path}`];
  if (tool === 'LyCORIS') return keys(textPrefix(layer));
  const clip = clipLayer.exec(known);
  if (family === 'clip') {
    if (tool === 'OneTrainer')
      return clip || known === 'text_projection' ? keys(textPrefix(layer, true)) : [];
    if (tool === 'ComfyUI' && known === 'text_projection') return number < 3 ? keys(`lora_te${number}`) : [];
    if (!clip || Number(clip[1]) > 31 || number > 2) return [];
    if (tool === 'kohya sd-scripts') return keys(textPrefix(layer));
    return number === 2 ? keys('lora_te2') : keys('lora_te', 'lora_te1');
  }
  if (family === 't5') {
    if (tool === 'ComfyUI')
      return number === 1 ? keys('lora_te1') : number === 2 ? keys('lora_te2', 'lora_te3') : keys('lora_te3');
    if (tool === 'OneTrainer') return keys(textPrefix(layer, true));
  }
  return [];
}

/** All keys, without the parameter at their end, under which the tool finds the layer; none: it does not look for it. */
export function keysSought(tool: Tool, layer: Layer): string[] {
  if (isText(layer)) return textKeys(tool, layer);
  const { path, known, family, original, sdxl } = moduleOf(layer);
  const unet = family === 'unet' || family === 'ldm';
  const inUnet = unet && (unetBlocks.test(known) || unetRest.test(known));
  switch (tool) {
    case 'LyCORIS':
      return [flatName('lycoris', path), flatName('lora_unet', path)];
    case 'PEFT':
      return [`base_model.model.${path}`];
    case 'ComfyUI':
      if (inUnet)
        return [
          flatName('lora_unet', known),
          flatName('lycoris', known),
          ...(original === undefined ? [] : [flatName('lora_unet', original)]),
        ];
      if (family === 'transformer' && transformerBlocks.test(known))
        return [flatName('lycoris', known), flatName('lora_transformer', known)];
      // Names of the original code are ComfyUI's own.
      return family === 'dit' ? [flatName('lora_unet', known)] : [];
    case 'A1111 / Forge': {
      if (!inUnet) return [];
      const own = original === undefined ? [] : [flatName('lora_unet', original)];
      const counted = a1111Name(known);
      return counted !== undefined && (original === undefined || original.startsWith(counted))
        ? [flatName('lora_unet', known), ...own]
        : own;
    }
    case 'kohya sd-scripts':
      if (!unet || !unetBlocks.test(known)) return [];
      return sdxl
        ? original === undefined
          ? []
          : [flatName('lora_unet', original)]
        : [flatName('lora_unet', known)];
    case 'OneTrainer':
      if (inUnet) return [flatName('lora_unet', known)];
      return family === 'transformer' ? [flatName('lora_transformer', known)] : [];
  }
}
