/** @file How a model that writes text is known. */
import { type Clues, headSaid, named, outputOf, told } from '#src/tasks/recognition/clues.ts';
import { noTokenizer } from '#src/tasks/recognition/lacking.ts';
import type { Guess, Rule } from '#src/tasks/recognition/types.ts';
import { readInputs } from './network.ts';

/** Fewer scores than that are no words, where the embedding does not say how many there are. */
const FEW = 64;

/** A model of text with a score for each word at each place. */
function recognise(clues: Clues): Guess | null {
  const inputs = told(() => readInputs(clues));
  const scores = clues.outputs.find(({ name }) => name === 'logits') ?? outputOf(clues, 3);
  const said = headSaid(clues, /ForCausalLM|LMHead/);
  if (!inputs || scores?.shape?.length !== 3 || /hidden|embed/i.test(scores.name) || said === 'another')
    return null;
  const { beside, vocabularies } = clues;
  const lacks = noTokenizer(beside);
  const roles = new Set(inputs.roles.values());
  const words = scores.shape[2];
  const takes = `It reads text (${inputs.ids})`;
  if (said === 'this' || beside.generates || roles.has('past'))
    return {
      sureness: 'certain',
      why:
        said === 'this'
          ? 'Its config.json says that it writes text.'
          : `${takes}${roles.has('past') ? ', remembers what came before (past_key_values)' : ''} and gives ${named('a score for each word that could come next', scores)}.`,
      ...lacks,
    };
  const known = typeof words === 'number' && vocabularies.has(words);
  if (!known && (vocabularies.size > 0 || typeof words !== 'number' || words < FEW)) return null;
  return {
    // Models that fill gaps give scores for words, too, and tell sentences apart by token types.
    sureness: roles.has('types') ? 'possible' : 'likely',
    why: `${takes} and gives ${named(`a score for each of ${words} words at each place`, scores)}.`,
    ...lacks,
  };
}

export const rule: Rule = { task: 'language', recognise };
