/** @file Safetensors with `oft_blocks` as LyCORIS saves them. */
import { type AdapterKind, oneFile } from '../kind.ts';
import { lycorisFit, writeLycoris } from '../lycoris/lycoris.ts';
import { readLycoris } from '../lycoris/lycorisRead.ts';
import { hasOftBlocks } from '../whose.ts';

export const kind: AdapterKind = {
  words: {
    name: 'LyCORIS, kohya',
    file: 'One safetensors file with the parameters as LyCORIS trains them.',
    place: 'kohya: network_module = "lycoris.kohya", and network_weights names this file.',
  },
  rank: 2,
  suffix: '',
  holds: 'rotations',
  tasks: ['diffusion'],
  tools: ['LyCORIS'],
  fit: lycorisFit,
  write: async ({ layers, meta }) => oneFile(await writeLycoris(layers, meta)),
  recognises: ({ keys }) => hasOftBlocks(keys),
  read: ({ file }, layers) => readLycoris(file, layers),
};
