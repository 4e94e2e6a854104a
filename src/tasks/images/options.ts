/** @file Options of all tasks whose models take pictures: size, shape, order and range of the colours. */
import * as v from 'valibot';
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
  {
    kind: 'number',
    key: 'side',
    label: 'Side of square pictures',
    help: `Pixels, for models that take any size. 0: as the model’s files say, else ${otherwise}.`,
    min: 0,
    max: 2048,
    step: 16,
  },
  {
    kind: 'number',
    key: 'width',
    label: 'Width of other pictures',
    help: 'Pixels, for models that take wide or tall pictures. 0: as the side.',
    min: 0,
    max: 4096,
    step: 16,
  },
  { kind: 'number', key: 'height', label: 'Height of other pictures', min: 0, max: 4096, step: 16 },
  {
    kind: 'choice',
    key: 'fit',
    label: 'Pictures of another shape',
    choices: [
      { value: 'auto', label: 'As the model’s files say, else cut to the centre' },
      { value: 'crop', label: 'Cut to the centre' },
      { value: 'stretch', label: 'Stretched' },
      { value: 'pad', label: 'Whole, with black beside it' },
    ],
  },
  ...first,
  {
    kind: 'choice',
    key: 'range',
    label: 'Black to white',
    help: 'Before mean and deviation. Set here and without a mean, nothing is taken off.',
    choices: [
      { value: 'auto', label: 'As the model’s files say, else 0 to 1' },
      { value: '0-1', label: '0 to 1' },
      { value: '0-255', label: '0 to 255' },
    ],
  },
  {
    kind: 'numbers',
    key: 'mean',
    label: 'Own mean',
    help: 'One number, or one for each channel in the model’s order: 0.485, 0.456, 0.406. Above 2: of 0 to 255. Empty: as above.',
  },
  {
    kind: 'numbers',
    key: 'std',
    label: 'Own deviation',
    help: 'What is divided by, after the mean. Empty: as above, or 1 with an own mean.',
  },
  {
    kind: 'choice',
    key: 'colours',
    label: 'Order of the colours',
    help: 'Models of OpenCV, Caffe and PaddlePaddle mostly want blue first.',
    choices: [
      { value: 'auto', label: 'As the model’s files say, else red first' },
      { value: 'rgb', label: 'Red, green, blue' },
      { value: 'bgr', label: 'Blue, green, red' },
      { value: 'grey', label: 'Grey, one channel' },
    ],
  },
  {
    kind: 'choice',
    key: 'layout',
    label: 'Axes of the input',
    choices: [
      { value: 'auto', label: 'As the model’s file says' },
      { value: 'nchw', label: 'Channels before height and width' },
      { value: 'nhwc', label: 'Channels last' },
    ],
  },
];
