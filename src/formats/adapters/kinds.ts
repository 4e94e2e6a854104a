/** @file The kinds of file that an adapter leaves as: a line for each, under its name in job files and commands. */
export { kind as comfyui } from './kinds/comfyui.ts';
export { kind as diff } from './kinds/diff.ts';
export { kind as lycoris } from './kinds/lycoris.ts';
export { kind as oft_r } from './kinds/oft_r.ts';
export { kind as onnx } from './kinds/onnx.ts';
export { kind as onnx_fp16 } from './kinds/onnx_fp16.ts';
export { kind as peft } from './kinds/peft.ts';
