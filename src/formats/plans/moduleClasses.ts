/**
 * @file Module classes as paths. ONNX files keep the names of modules, not their classes, and LyCORIS's presets target classes: this
 * table says where the modules of a class lie in diffusers' and transformers' models. Depth orders classes from outer to inner.
 */

interface ModuleClass {
  /** Regular expression of the path segments where modules of the class lie; null: the layers themselves. */
  readonly path: string | null;
  /** For classes that are layers themselves. */
  readonly kind?: 'linear' | 'conv';
  readonly depth: number;
}

const block = (path: string): ModuleClass => ({ path, depth: 0 });
const inner = (path: string): ModuleClass => ({ path, depth: 2 });

const encoderAttention = inner(String.raw`encoder\.layers\.\d+\.self_attn`);
const decoderAttention = inner(String.raw`(?<!encoder\.)layers\.\d+\.self_attn`);
const encoderMlp = inner(String.raw`encoder\.layers\.\d+\.mlp`);
const decoderMlp = inner(String.raw`(?<!encoder\.)layers\.\d+\.mlp`);
const attention = inner(String.raw`attn\d*`);
const transformerBlocks = String.raw`transformer_blocks\.\d+`;
const singleTransformerBlocks = String.raw`single_transformer_blocks\.\d+`;

const classes: ReadonlyMap<string, ModuleClass> = new Map(
  Object.entries<ModuleClass>({
    // diffusers' UNets
    Transformer2DModel: block(String.raw`attentions\.\d+`),
    ResnetBlock2D: block(String.raw`resnets\.\d+`),
    Downsample2D: block(String.raw`downsamplers\.\d+`),
    Upsample2D: block(String.raw`upsamplers\.\d+`),
    TimestepEmbedding: block('(?:time|add)_embedding|(?:time|timestep|guidance)_embedder'),
    BasicTransformerBlock: { path: transformerBlocks, depth: 1 },
    Attention: attention,
    CrossAttention: attention,
    SelfAttention: attention,
    FeedForward: inner('ff|ff_context'),
    GEGLU: { path: String.raw`ff\.net\.0`, depth: 3 },
    // transformers for diffusion, diffusers' and kohya's own
    JointTransformerBlock: block(transformerBlocks),
    FluxTransformerBlock: block(transformerBlocks),
    FluxSingleTransformerBlock: block(singleTransformerBlocks),
    HunyuanVideoTransformerBlock: block(transformerBlocks),
    HunyuanVideoSingleTransformerBlock: block(singleTransformerBlocks),
    QwenImageTransformerBlock: block(transformerBlocks),
    HunYuanDiTBlock: block(String.raw`blocks\.\d+`),
    WanAttentionBlock: block(String.raw`blocks\.\d+`),
    WanTransformerBlock: block(String.raw`blocks\.\d+`),
    DoubleStreamBlock: block(String.raw`double_blocks\.\d+`),
    MMDoubleStreamBlock: block(String.raw`double_blocks\.\d+`),
    SingleStreamBlock: block(String.raw`single_blocks\.\d+`),
    MMSingleStreamBlock: block(String.raw`single_blocks\.\d+`),
    SingleDiTBlock: block(String.raw`joint_blocks\.\d+`),
    FinalLayer: block('final_layer'),
    PatchEmbed: block('pos_embed|patch_embed|x_embedder'),
    // text encoders
    CLIPEncoderLayer: block(String.raw`encoder\.layers\.\d+`),
    CLIPAttention: encoderAttention,
    CLIPSdpaAttention: encoderAttention,
    CLIPMLP: encoderMlp,
    T5Block: block(String.raw`encoder\.block\.\d+`),
    MT5Block: block(String.raw`encoder\.block\.\d+`),
    T5LayerSelfAttention: inner(String.raw`encoder\.block\.\d+\.layer\.0`),
    MT5LayerSelfAttention: inner(String.raw`encoder\.block\.\d+\.layer\.0`),
    BertLayer: block(String.raw`encoder\.layer\.\d+`),
    BertAttention: inner(String.raw`encoder\.layer\.\d+\.attention`),
    Gemma2Attention: decoderAttention,
    Gemma2FlashAttention2: decoderAttention,
    Gemma2SdpaAttention: decoderAttention,
    Gemma2MLP: decoderMlp,
    Qwen3Attention: decoderAttention,
    Qwen3FlashAttention2: decoderAttention,
    Qwen3SdpaAttention: decoderAttention,
    Qwen3MLP: decoderMlp,
    // the layers themselves
    Linear: { path: null, kind: 'linear', depth: 4 },
    Conv1d: { path: null, kind: 'conv', depth: 4 },
    Conv2d: { path: null, kind: 'conv', depth: 4 },
    Conv3d: { path: null, kind: 'conv', depth: 4 },
  }),
);

export const moduleClass = (name: string): ModuleClass | undefined => classes.get(name);

/** Regular expression of the layers that lie in a module of any of the classes; undefined where none of them has a path. */
export function classRegex(names: readonly string[]): string | undefined {
  const paths = new Set(names.flatMap((name) => classes.get(name)?.path ?? []));
  return paths.size === 0 ? undefined : String.raw`(?:^|\.)(?:${[...paths].join('|')})(?:\.|$)`;
}
