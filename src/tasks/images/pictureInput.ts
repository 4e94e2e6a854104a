/** @file A model that takes pictures: its input, its graph at a batch and size. */
import { settingInputs } from '#src/onnx/givenInputs.ts';
import type { Graph } from '#src/graph/types.ts';
import { type Model, ModelError, type ModelValue, type Node } from '#src/onnx/model.ts';
import { bindModel, shownValue } from '#src/tasks/generic/model.ts';
import type { PictureOptions } from '#src/tasks/images/options.ts';
import type { PixelLayout } from '#src/tasks/images/tensor.ts';
import type { ModelFile } from '#src/tasks/types.ts';

export interface PictureInput extends PixelLayout {
  readonly name: string;
  readonly type: 'float32' | 'uint8';
  /** Fixed by the file; null: free. */
  readonly width: number | null;
  readonly height: number | null;
  /** Fixed by the file; null: free. */
  readonly batch: number | null;
}

const ungrouped = ({ attributes: { group } }: Node): boolean => group?.kind !== 'int' || group.value === 1;

/** Channels that the first convolution of a picture wants; null: it hangs on none. */
function convolved(model: Model, input: string): number | null {
  const conv = model.graph.nodes.find((n) => n.op === 'Conv' && n.inputs[0] === input);
  const weight = conv && model.graph.initializers.get(conv.inputs[1]!);
  return weight && ungrouped(conv) ? (weight.shape[1] ?? null) : null;
}

/**
 * The input of pictures: rank 4, channels second, or last where only that axis has 1 or 3. Throws ModelError if there is none.
 * @param wish what the user says of free axes
 */
export function pictureInput(
  model: Model,
  path: string,
  wish: Pick<PictureOptions, 'layout' | 'colours'> = { layout: 'auto', colours: 'auto' },
): PictureInput {
  // Floats of other widths become float32 as the model is read.
  const fits = (v: ModelValue): boolean =>
    ['float32', 'float16', 'bfloat16', 'float64', 'uint8'].includes(v.type) && v.shape?.length === 4;
  const found = model.graph.inputs.filter(fits);
  const others = model.graph.inputs.filter((v) => !fits(v));
  const input = found.length === 1 ? found[0] : found.find((v) => /pixel|image|input/i.test(v.name));
  if (!input || others.length > 0)
    throw new ModelError(
      `${path} should take pictures only, [batch, channels, height, width] of floats or bytes; it takes ${model.graph.inputs.map(shownValue).join(', ') || 'nothing'}.${input && others[0] ? ` If ${others[0].name} is one value for all (a flag, a threshold), ${settingInputs(others[0].name)}` : ''}`,
    );
  const number = (axis: number): number | null => {
    const d = input.shape?.[axis];
    return typeof d === 'number' ? d : null;
  };
  const isChannels = (d: number | null): boolean => d === 1 || d === 3;
  const last =
    wish.layout === 'auto' ? isChannels(number(3)) && !isChannels(number(1)) : wish.layout === 'nhwc';
  const free = wish.colours === 'grey' ? 1 : wish.colours === 'auto' ? convolved(model, input.name) : null;
  const channels = (last ? number(3) : number(1)) ?? free ?? 3;
  if (!isChannels(channels))
    throw new ModelError(
      `${path} takes pictures of ${channels} channels; grey (1) and coloured ones (3) can be fed.${last === (wish.layout === 'nhwc') && wish.layout !== 'auto' ? ' Leave layout at "auto".' : ''}`,
    );
  return {
    name: input.name,
    type: input.type === 'uint8' ? 'uint8' : 'float32',
    channels,
    order: last ? 'NHWC' : 'NCHW',
    batch: number(0),
    height: last ? number(1) : number(2),
    width: last ? number(2) : number(3),
  };
}

/** Numbers as the input takes them. */
export const asFed = (input: Pick<PictureInput, 'type'>, pixels: Float32Array): Float32Array | Uint8Array =>
  input.type === 'uint8' ? Uint8Array.from(pixels, (v) => Math.round(v)) : pixels;

/** Shape of the input at a batch and size. */
export const inputShape = (
  { channels, order }: PixelLayout,
  batch: number,
  { width, height }: { readonly width: number; readonly height: number },
): readonly [number, number, number, number] =>
  order === 'NCHW' ? [batch, channels, height, width] : [batch, height, width, channels];

/** The graph for a batch of pictures. */
export const bindPictures = (
  file: ModelFile,
  input: PictureInput,
  batch: number,
  size: { readonly width: number; readonly height: number },
): Graph => bindModel(file, new Map([[input.name, inputShape(input, batch, size)]]));
