/** @file Why no key of an adapter belongs to a layer of this model, as far as the names on both sides tell, and the way out. */
import { flatName } from '#src/oft/modules/keys.ts';
import { moduleOf } from '#src/oft/modules/tree.ts';
import type { Family, Layer } from '#src/oft/types.ts';

type Kind = 'unet' | 'text' | 'dit';

/** What a key's name gives away of the model that it was made for. */
const signs: readonly (readonly [Kind, RegExp])[] = [
  [
    'text',
    /(?:^|[._])(?:te[123]?|text_encoder\w*|clip_[lgh]|t5xxl)[._]|text_model|SelfAttention|DenseReluDense/i,
  ],
  ['dit', /(?:double|single|joint)_blocks[._]\d|(?:^|[._])single_transformer_blocks[._]\d/i],
  [
    'unet',
    /(?:input|output)_blocks[._]\d|middle_block[._]\d|(?:down|up)_blocks[._]\d|mid_block[._]|time_emb|conv_(?:in|out)[._]/i,
  ],
];
const kindOf = (key: string): Kind | undefined => signs.find(([, sign]) => sign.test(key))?.[0];

const familyKinds: Readonly<Partial<Record<Family, Kind>>> = {
  unet: 'unet',
  ldm: 'unet',
  transformer: 'dit',
  dit: 'dit',
  clip: 'text',
  t5: 'text',
};

const called: Readonly<Record<Kind, string>> = {
  unet: 'a Stable Diffusion UNet',
  text: 'a text encoder',
  dit: 'a diffusion transformer (FLUX, SD3)',
};

/** A sentence or two that follow "No key of the adapter belongs to a layer of this model: the file has …, the model …." */
function reason(keys: readonly string[], layers: readonly Layer[]): string {
  const kinds = new Set(keys.flatMap((key) => kindOf(key) ?? []));
  const [file, ...more] = kinds;
  const own = layers.map((layer) => familyKinds[moduleOf(layer).family]).find((kind) => kind !== undefined);
  const original = keys.some((key) => /(?:input|output)_blocks[._]\d|middle_block[._]\d/.test(key));
  if (file !== undefined && own !== undefined && more.length === 0 && file !== own)
    return file === 'text' && own === 'unet'
      ? 'The file is for text encoders alone: open the text encoder’s model, or train it along (options.train_text_encoder).'
      : `The file is for ${called[file]}, and this model is ${called[own]}. Open it with the model that it was made for.`;
  if (file === 'unet' && own === 'unet')
    return `Both are UNets${original ? ', and the original names in the file were translated' : ''}, but their blocks differ: it was made for another version of Stable Diffusion. Open it with that model.`;
  if (file === 'dit' && own === 'dit')
    return 'The file has the names of the original code, which merges projections that diffusers keeps apart. Convert it to diffusers’ names in the tool that made it.';
  if (file !== undefined && own === undefined)
    return `The file is for ${called[file]}, which this model’s names are not those of. If it is one all the same, export it with its parameters’ names kept.`;
  return 'It was made for another model, or in another format. If it is this model under other names, merge the adapter in the tool that made it, and export that model.';
}

/** The whole message. */
export function strangersMessage(
  keys: readonly string[],
  layers: readonly Layer[],
  stems: ReadonlyMap<Layer, string>,
): string {
  const own = layers[0];
  const model = own ? (stems.get(own) ?? flatName('lycoris', own.path)) : 'no layer to adapt';
  return `No key of the adapter belongs to a layer of this model: the file has ${keys[0]!}, the model ${model}. ${reason(keys, layers)}`;
}
