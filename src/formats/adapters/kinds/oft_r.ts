/** @file `oft_R.weight` under flat names, as OneTrainer and sd-scripts' oft_v2 keep it. */
import { type AdapterKind, oneFile } from '../kind.ts';
import { oftRFit, readOftR, writeOftR } from '../kohya/oftR.ts';
import { hasOftR } from '../whose.ts';

export const kind: AdapterKind = {
  words: {
    name: 'OneTrainer, sd-scripts',
    file: 'One safetensors file with oft_R keys, as OneTrainer and sd-scripts’ oft_v2 name them.',
    place: 'OneTrainer: choose it as the LoRA base model. sd-scripts: network_weights.',
  },
  rank: 4,
  suffix: '-onetrainer',
  holds: 'rotations',
  tasks: ['diffusion'],
  tools: ['OneTrainer', 'kohya sd-scripts'],
  takes: ({ size }) => size > 1,
  fit: oftRFit,
  write: async ({ layers, meta }) => oneFile(await writeOftR(layers, meta)),
  recognises: ({ keys, config }) =>
    hasOftR(keys) && config === null && !keys.some((key) => key.startsWith('base_model.')),
  read: ({ file }, layers) => readOftR(file, layers),
};
