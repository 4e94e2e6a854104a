/** @file adapter_config.json and adapter_model.safetensors, as PEFT keeps them. */
import type { AdapterKind } from '../kind.ts';
import { moduleOf, peftFit, writePeft } from '../peft/peft.ts';
import { readPeft } from '../peft/peftRead.ts';
import { hasOftR } from '../whose.ts';

export const kind: AdapterKind = {
  words: {
    name: 'Python, PEFT',
    file: 'A zip of adapter_config.json and adapter_model.safetensors.',
    place: 'Unzip it, then PeftModel.from_pretrained(model, "the folder").',
  },
  rank: 3,
  suffix: '-peft',
  holds: 'rotations',
  tasks: ['diffusion', 'language', 'text-classification', 'image-classification'],
  tools: ['PEFT'],
  takes: ({ size }) => size > 1,
  head: (whole) => {
    const left = whole.filter((w) => !moduleOf(w)).map((w) => w.name);
    return left.length === 0
      ? []
      : [
          `${left.join(', ')}, the new last layer, has no module's name in the model's file, so PEFT's cannot hold it: keep the merged model too.`,
        ];
  },
  fit: peftFit,
  write: async ({ layers, meta, others, whole = [] }) =>
    writePeft(layers, {
      ...(meta?.baseModel !== undefined && { baseModel: meta.baseModel }),
      ...(others && { others }),
      whole,
    }),
  recognises: ({ keys, config }) =>
    hasOftR(keys) && (config !== null || keys.some((key) => key.startsWith('base_model.'))),
  read: ({ file, config }, layers) => readPeft(file, config, layers),
};
