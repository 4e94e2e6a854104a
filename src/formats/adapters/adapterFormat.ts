/** @file The kinds of file that an adapter leaves as. */

/**
 * lycoris: safetensors with `oft_blocks` as LyCORIS saves them; comfyui: the same, clamp baked in and alpha 0, rescale re-encoded, for
 * ComfyUI and A1111; peft: adapter_config.json + adapter_model.safetensors; oft_r: `oft_R.weight` under flat names (OneTrainer, sd-scripts
 * oft_v2); diff: whole weight differences; onnx: the merged model; onnx_fp16: the same with
 * its weights stored in half precision.
 */
export type AdapterFormat = 'lycoris' | 'comfyui' | 'peft' | 'oft_r' | 'diff' | 'onnx' | 'onnx_fp16';
