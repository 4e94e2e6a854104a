/**
 * @file What layers of onnxruntime-genai's model builder are called in transformers. Its nodes are `/model/layers.0/attn/q_proj/MatMul`, and queries,
 * keys and values are mostly one layer, `qkv_proj`, which transformers' Llama, Mistral, Qwen and Gemma have as three.
 */

/** What the builder calls a layer of attention, whatever the model. */
const sign = /^model\.layers\.\d+\.attn\.(?:qkv|q|k|v|o)_proj\.MatMul$/;

/** A module in transformers; `parts`: those that the layer is made of, side by side along its outputs. */
export interface Rebuilt {
  readonly path: string;
  readonly parts?: readonly string[];
}

function rebuilt(path: string): Rebuilt {
  const own = path.replace(/\.MatMul$/, '').replace(/^(model\.layers\.\d+\.)attn\./, '$1self_attn.');
  const fused = /^(.*\.self_attn\.)qkv_proj$/.exec(own);
  return {
    path: own,
    ...(fused && { parts: ['q', 'k', 'v'].map((each) => `${fused[1]!}${each}_proj`) }),
  };
}

/** The modules of a model's layers, in their order; undefined: the builder did not write the model. */
export const rebuiltNames = (paths: readonly string[]): Rebuilt[] | undefined =>
  paths.some((path) => sign.test(path)) ? paths.map(rebuilt) : undefined;
