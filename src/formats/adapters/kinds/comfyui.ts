/** @file LyCORIS's keys with the clamp baked in and alpha 0, rescale re-encoded: for ComfyUI and A1111. Read as LyCORIS's. */
import { type AdapterKind, oneFile } from '../kind.ts';
import { comfyuiFit, writeComfyui } from '../lycoris/comfyui.ts';

export const kind: AdapterKind = {
  words: {
    name: 'ComfyUI, A1111',
    file: 'One safetensors file that both read alike: the constraint is worked into the numbers.',
    place: 'ComfyUI: put it in models/loras and use the LoRA loader. A1111: models/Lora.',
  },
  rank: 1,
  suffix: '-comfyui',
  holds: 'rotations',
  tasks: ['diffusion'],
  tools: ['ComfyUI', 'A1111 / Forge'],
  fit: comfyuiFit,
  write: async ({ layers, meta }) => oneFile(await writeComfyui(layers, meta)),
};
