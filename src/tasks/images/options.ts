/** @file Options of all tasks whose models take pictures: size, shape, order and range of the colours. */
import * as v from 'valibot';
import { choiceField, numberField, numbersField } from '#src/tasks/formFields.ts';
import type { Field } from '#src/tasks/info.ts';
import { oneOf, value, whole } from '#src/tasks/optionSchema.ts';

export interface PictureOptions {
  /** Of square pictures, where the model leaves the size free; 0: as the model's files say. */
  readonly side: number;
  /** The same of others; 0: as `side`. */
  readonly width: number;
  readonly height: number;
  /** What becomes of pictures of another shape. */
  readonly fit: 'auto' | 'crop' | 'stretch' | 'pad';
  readonly colours: 'auto' | 'rgb' | 'bgr' | 'grey';
  /** What black and white are before mean and deviation. */
  readonly range: 'auto' | '0-1' | '0-255';
  /** Own mean and deviation, in the numbers of the range: one for all channels, or one for each; none: as `normalise` says. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Where the channels stand, where the file's sizes do not tell. */
  readonly layout: 'auto' | 'nchw' | 'nhwc';
}

export const pictureDefaults: PictureOptions = {
  side: 0,
  width: 0,
  height: 0,
  fit: 'auto',
  colours: 'auto',
  range: 'auto',
  mean: [],
  std: [],
  layout: 'auto',
};

const perChannel = (allowed: string, ok: (x: number) => boolean, shape: object) =>
  value<number[]>(
    `a list of ${allowed}, one for all channels or one for each, such as [0.485, 0.456, 0.406]; []: none`,
    (x) =>
      Array.isArray(x) &&
      x.length <= 3 &&
      x.every((n) => typeof n === 'number' && Number.isFinite(n) && ok(n)),
    { type: 'array', items: { type: 'number', ...shape }, maxItems: 3 },
  );

export const pictureEntries = {
  side: v.optional(whole(0, 2048)),
  width: v.optional(whole(0, 4096)),
  height: v.optional(whole(0, 4096)),
  fit: v.optional(oneOf(['auto', 'crop', 'stretch', 'pad'])),
  colours: v.optional(oneOf(['auto', 'rgb', 'bgr', 'grey'])),
  range: v.optional(oneOf(['auto', '0-1', '0-255'])),
  mean: v.optional(perChannel('numbers', () => true, {})),
  std: v.optional(perChannel('positive numbers', (x) => x > 0, { exclusiveMinimum: 0 })),
  layout: v.optional(oneOf(['auto', 'nchw', 'nhwc'])),
};

/**
 * @param otherwise the size where neither the user nor the model's files say one: "224"
 * @param first fields that stand before those of the colours
 */
export const pictureFields = (otherwise: string, first: readonly Field[]): readonly Field[] => [
  numberField(
    'side',
    'Side of square pictures',
    { min: 0, max: 2048, step: 16 },
    `Pixels, for models that take any size. 0: as the model’s files say, else ${otherwise}.`,
  ),
  numberField(
    'width',
    'Width of other pictures',
    { min: 0, max: 4096, step: 16 },
    'Pixels, for models that take wide or tall pictures. 0: as the side.',
  ),
  numberField('height', 'Height of other pictures', { min: 0, max: 4096, step: 16 }),
  choiceField('fit', 'Pictures of another shape', {
    auto: 'As the model’s files say, else cut to the centre',
    crop: 'Cut to the centre',
    stretch: 'Stretched',
    pad: 'Whole, with black beside it',
  }),
  ...first,
  choiceField(
    'range',
    'Black to white',
    {
      auto: 'As the model’s files say, else 0 to 1',
      '0-1': '0 to 1',
      '0-255': '0 to 255',
    },
    'Before mean and deviation. Set here and without a mean, nothing is taken off.',
  ),
  numbersField(
    'mean',
    'Own mean',
    'One number, or one for each channel in the model’s order: 0.485, 0.456, 0.406. Above 2: of 0 to 255. Empty: as above.',
  ),
  numbersField(
    'std',
    'Own deviation',
    'What is divided by, after the mean. Empty: as above, or 1 with an own mean.',
  ),
  choiceField(
    'colours',
    'Order of the colours',
    {
      auto: 'As the model’s files say, else red first',
      rgb: 'Red, green, blue',
      bgr: 'Blue, green, red',
      grey: 'Grey, one channel',
    },
    'Models of OpenCV, Caffe and PaddlePaddle mostly want blue first.',
  ),
  choiceField('layout', 'Axes of the input', {
    auto: 'As the model’s file says',
    nchw: 'Channels before height and width',
    nhwc: 'Channels last',
  }),
];
