/** @file What becomes of pictures before a model sees them, in words, and what of it cannot be meant. */
import type { TaskProblem } from '#src/tasks/types.ts';
import type { PictureOptions } from './options.ts';
import type { PictureInput } from './pictureInput.ts';
import type { Preprocess } from './preprocess.ts';

const short = (x: number): string => String(Number(x.toPrecision(3)));

/** One number where all are equal. */
const listed = (list: readonly number[]): string => {
  const words = list.map(short);
  return new Set(words).size === 1 ? words[0]! : words.join(', ');
};

const fits = {
  crop: 'cut to the centre',
  stretch: 'stretched',
  pad: 'whole, padded',
  shortest: 'cut to the centre',
};

/** "192 × 48 pixels, stretched; blue first; 0 to 255, less 104, 117, 124, over 57.4" */
export function describePreprocess(
  { width, height, frame, mean, std, scale, bgr }: Preprocess,
  { channels }: Pick<PictureInput, 'channels'>,
): string {
  const plain = mean.every((m) => m === 0) && std.every((s) => s === 1);
  const numbers = `0 to ${short(scale)}${plain ? '' : `, less ${listed(mean)}, over ${listed(std)}`}`;
  const colours = channels === 1 ? 'grey' : bgr ? 'blue first' : 'red first';
  return `${width} × ${height} pixels, ${fits[frame.fit ?? 'crop']}; ${colours}; ${numbers}`;
}

const warning = (
  item: string,
  message: string,
  cure: string,
  rest: Partial<TaskProblem> = {},
): TaskProblem => ({
  severity: 'warning',
  item,
  message,
  cure,
  ...rest,
});

/** Options that the model's file overrules, or that contradict each other. */
export function optionProblems(
  path: string,
  options: PictureOptions & { readonly normalise: string },
  input: PictureInput,
  { width, height, scale, mean, std }: Preprocess,
): TaskProblem[] {
  const problems: TaskProblem[] = [];
  const asked = [options.width || options.side, options.height || options.side];
  if ((asked[0]! > 0 && asked[0] !== width) || (asked[1]! > 0 && asked[1] !== height))
    problems.push(
      warning(
        'side',
        `${path} takes pictures of ${width} × ${height} pixels only: the size that the options ask for is not used.`,
        'Set side, width and height to 0, or export the model with free sizes.',
        { mend: { words: 'Use the model’s size', options: { side: 0, width: 0, height: 0 } } },
      ),
    );
  const own = options.mean.length > 0 || options.std.length > 0;
  for (const key of ['mean', 'std'] as const)
    if (options[key].length > 1 && options[key].length !== input.channels)
      problems.push(
        warning(
          key,
          `${key} has ${options[key].length} numbers, but ${path} takes ${input.channels} channel${input.channels > 1 ? 's' : ''}.`,
          'Give one number, or one for each channel.',
        ),
      );
  if (input.type === 'uint8') {
    if (own || options.range === '0-1' || !['auto', 'none'].includes(options.normalise))
      problems.push(
        warning(
          'normalise',
          `${path} takes bytes, 0 to 255: range, mean and deviation are not used.`,
          'Leave them as they are: the model takes them off itself.',
        ),
      );
  } else if (own && scale === 1 && Math.max(...mean, ...std) > 2)
    problems.push(
      warning(
        'range',
        `A mean or deviation of ${listed(mean)} and ${listed(std)} is for colours from 0 to 255, but they run from 0 to 1.`,
        'Set range = "0-255", or divide mean and deviation by 255.',
        { mend: { words: 'Count from 0 to 255', options: { range: '0-255' } } },
      ),
    );
  if (input.channels === 3 && options.colours === 'grey')
    problems.push(
      warning(
        'colours',
        `${path} takes three channels: the pictures stay coloured.`,
        'Leave colours at "auto".',
      ),
    );
  if (input.channels === 1 && (options.colours === 'bgr' || options.colours === 'rgb'))
    problems.push(
      warning('colours', `${path} takes one channel: the pictures become grey.`, 'Leave colours at "auto".'),
    );
  return problems;
}
