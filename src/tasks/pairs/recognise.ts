/** @file How a model that makes a picture out of a picture is known. */
import { type Clues, headSaid, named } from '#src/tasks/recognition/clues.ts';
import type { Guess, Rule } from '#src/tasks/recognition/types.ts';

/** A model of pictures with an output of one or three channels and more than a row or column. */
function recognise(clues: Clues): Guess | null {
  const { picture } = clues;
  const said = headSaid(clues, /ForImage(SuperResolution|ToImage)|ForDepthEstimation/);
  if (!picture || said === 'another') return null;
  const axis = picture.order === 'NCHW' ? 1 : 3;
  const sides = picture.order === 'NCHW' ? [2, 3] : [1, 2];
  const painted = clues.outputs.find(
    ({ type, shape }) =>
      /float/.test(type) &&
      shape?.length === 4 &&
      (shape[axis] === 1 || shape[axis] === 3) &&
      sides.every((side) => shape[side] !== 1),
  );
  if (!painted) return null;
  return {
    sureness: said === 'this' ? 'certain' : 'likely',
    why: `${named('It takes pictures', picture)} and gives ${named('a picture for each', painted)}.`,
  };
}

export const rule: Rule = { task: 'pairs', recognise };
