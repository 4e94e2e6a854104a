/** @file How a model that draws pictures from words is known: by its pipeline, or by what its network takes. */
import type { Clues } from '#src/tasks/recognition/clues.ts';
import type { Guess, Rule } from '#src/tasks/recognition/types.ts';
import { rank, role } from './binding.ts';

const UNET = /unet/;

/** A part of a pipeline, or a network that takes noise, a time and what a text encoder says. */
function recognise({ inputs, outputs, beside }: Clues): Guess | null {
  const { pipeline, part } = beside;
  if (pipeline !== null)
    return {
      sureness: 'certain',
      why: UNET.test(part)
        ? `It is the part that draws (${part}) of a ${pipeline}, as model_index.json says.`
        : `It belongs to a ${pipeline} that draws pictures, as model_index.json says.`,
    };
  const sample = role(inputs, 'sample', (v) => rank(v) === 4);
  const time = role(inputs, 'timestep', (v) => rank(v) <= 1 && /time|^t$/i.test(v.name));
  const text = role(inputs, 'encoder_hidden_states', (v) => rank(v) === 3);
  if (!sample || !time || !text || !outputs.some((v) => rank(v) === 4)) return null;
  return {
    sureness: 'likely',
    why: `It takes a noisy picture (${sample.name}), how noisy it is (${time.name}) and what a text means (${text.name}), as a network that draws does.`,
    lacks:
      'What belongs to it is not here: open the whole folder, with model_index.json, text_encoder, tokenizer and scheduler.',
  };
}

export const rule: Rule = { task: 'diffusion', recognise };
