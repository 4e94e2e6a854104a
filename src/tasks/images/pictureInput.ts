/** @file A model that takes pictures: its input, its graph at a batch and size. */
import { settingInputs } from '#src/onnx/givenInputs.ts';
import type { Graph } from '#src/graph/types.ts';
import { type Model, ModelError, type ModelValue } from '#src/onnx/model.ts';
import { bindModel, shownValue } from '#src/tasks/generic/model.ts';
import type { PixelLayout } from '#src/tasks/images/tensor.ts';
import type { ModelFile } from '#src/tasks/types.ts';

export interface PictureInput extends PixelLayout {
  readonly name: string;
  /** Fixed by the file; null: free. */
  readonly width: number | null;
  readonly height: number | null;
  /** Fixed by the file; null: free. */
  readonly batch: number | null;
}

/** The input of pictures: rank 4, channels second, or last where only that axis has 1 or 3. Throws ModelError if there is none. */
export function pictureInput(model: Model, path: string): PictureInput {
  const fits = (v: ModelValue): boolean => v.type === 'float32' && v.shape?.length === 4;
  const found = model.graph.inputs.filter(fits);
  const others = model.graph.inputs.filter((v) => !fits(v));
  const input = found.length === 1 ? found[0] : found.find((v) => /pixel|image|input/i.test(v.name));
  if (!input || others.length > 0)
    throw new ModelError(
      `${path} should take pictures only, float32 [batch, channels, height, width]; it takes ${model.graph.inputs.map(shownValue).join(', ') || 'nothing'}.${input && others[0] ? ` If ${others[0].name} is one value for all (a flag, a threshold), ${settingInputs(others[0].name)}` : ''}`,
    );
  const number = (axis: number): number | null => {
    const d = input.shape?.[axis];
    return typeof d === 'number' ? d : null;
  };
  const isChannels = (d: number | null): boolean => d === 1 || d === 3;
  const last = isChannels(number(3)) && !isChannels(number(1));
  const channels = (last ? number(3) : number(1)) ?? 3;
  if (!isChannels(channels))
    throw new ModelError(`${path} takes pictures of ${channels} channels; grey (1) and RGB (3) can be fed.`);
  return {
    name: input.name,
    channels,
    order: last ? 'NHWC' : 'NCHW',
    batch: number(0),
    height: last ? number(1) : number(2),
    width: last ? number(2) : number(3),
  };
}

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
