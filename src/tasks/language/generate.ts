/** @file Text that a model writes, token by token: greedy, or drawn by temperature and top-p (Holtzman et al. 1904.09751). */
import { softmax } from '#src/tasks/classification/metrics.ts';
import { random } from '#src/tasks/random.ts';
import type { Adapted, Tell } from '#src/tasks/types.ts';
import { CachedScores } from './cache/cachedScores.ts';
import type { LanguageNetwork } from './network.ts';
import type { TextTokens } from '#src/tasks/text/tokens.ts';

export interface Wish {
  readonly prompts: readonly (readonly number[])[];
  /** Tokens at the end of each prompt that what is written begins with again, in tokens of its own choice: one may reach over the join. */
  readonly again?: readonly (readonly number[])[];
  readonly seed: number;
  readonly temperature: number;
  readonly topP: number;
  readonly newTokens: number;
}

/**
 * The next token. Temperature 0: the likeliest one. Else: softmax(scores / temperature), of which the likeliest tokens that have the share `topP`
 * together are kept.
 * @param u uniform in [0, 1)
 */
export function nextToken(scores: Float32Array, temperature: number, topP: number, u: number): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  if (temperature <= 0) return best;
  const shares = softmax(scores.map((x) => x / temperature));
  const order = Array.from(shares.keys()).sort((a, b) => shares[b]! - shares[a]! || a - b);
  let kept = 0;
  let count = 0;
  while (count < order.length && (count === 0 || kept < topP)) kept += shares[order[count++]!]!;
  let left = u * kept;
  for (const id of order.slice(0, count)) {
    left -= shares[id]!;
    if (left < 0) return id;
  }
  return order[count - 1]!;
}

/**
 * Scores of tokens that spell a text's beginning, or the text and more; −∞ for all others.
 * @param text still to be spelt, as the vocabulary writes it
 */
function spelling(scores: Float32Array, text: string, tokens: TextTokens): Float32Array {
  return scores.map((score, id) => {
    const token = tokens.token(id);
    const fits = token !== null && token !== '' && (token.startsWith(text) || text.startsWith(token));
    return fits ? score : -Infinity;
  });
}

/** What is known of a text on the way. */
interface Growing {
  readonly index: number;
  readonly made: number[];
  /** What is still to be spelt. */
  due: string;
}

/** What follows each prompt, up to the end token. The window slides where it is full. */
export async function generate(
  network: LanguageNetwork,
  tokens: TextTokens,
  length: number,
  wish: Wish,
  adapted: Adapted,
  tell: Tell,
): Promise<string[]> {
  const { prompts, newTokens } = wish;
  const spelt = prompts.map((_, i) => (wish.again?.[i] ?? []).map((id) => tokens.token(id) ?? '').join(''));
  const texts = prompts.map((_, index): Growing => ({ index, made: [], due: spelt[index]! }));
  const whole = ({ index, made }: Growing): number[] => [...prompts[index]!, ...made];
  /** Puts the next token behind a text; false: it is at its end. */
  const grow = (text: Growing, scores: Float32Array): boolean => {
    const { index, made, due } = text;
    const k = made.length;
    const u = random(wish.seed, 'sample', index * 65_536 + k).uniform(1)[0]!;
    const id = nextToken(due === '' ? scores : spelling(scores, due, tokens), wish.temperature, wish.topP, u);
    if (due === '' && tokens.ends.has(id)) return false;
    text.due = due.slice((tokens.token(id) ?? '').length);
    return made.push(id) < newTokens + (wish.again?.[index]?.length ?? 0);
  };
  /** @param made tokens of each of so many texts behind those that are done */
  const told = (done: number, made: number, some = 1): void =>
    tell(done * newTokens + Math.min(made, newTokens) * some, prompts.length * newTokens);
  const longest = texts.reduce((n, text) => Math.max(n, whole(text).length), 0) + newTokens;
  const cached =
    longest <= length && texts.length > 0
      ? await CachedScores.open(network, length, tokens.pad, adapted)
      : null;
  if (cached)
    for (const text of texts) {
      while (grow(text, await cached.next(whole(text)))) told(text.index, text.made.length);
      told(text.index + 1, 0);
    }
  else await byWholeTexts(network, tokens.pad, length, texts, { adapted, whole, grow, told });
  return texts.map(({ made, index }) => {
    const text = tokens.decode(made);
    const before = spelt[index] === '' ? '' : tokens.decode(wish.again![index]!);
    return text.startsWith(before) ? text.slice(before.length) : text;
  });
}

interface Ways {
  readonly adapted: Adapted;
  readonly whole: (text: Growing) => number[];
  readonly grow: (text: Growing, scores: Float32Array) => boolean;
  readonly told: (done: number, made: number, some: number) => void;
}

/** Several texts at a time, each of them whole for each token. */
async function byWholeTexts(
  network: LanguageNetwork,
  pad: number,
  length: number,
  texts: readonly Growing[],
  { adapted, whole, grow, told }: Ways,
): Promise<void> {
  const batch = network.inputs.batch ?? Math.max(1, texts.length);
  const { graph, output } = network.next(batch, length);
  const run = await adapted.run('language next', graph);
  for (let first = 0; first < texts.length; first += batch) {
    const some = texts.slice(first, first + batch);
    const open = new Set(some);
    for (let k = 0; open.size > 0; k++) {
      const rows = Array.from({ length: batch }, (_, r) => {
        const ids = new Int32Array(length).fill(pad);
        const seen = whole(some[r] ?? texts[0]!).slice(-length);
        ids.set(seen);
        return { ids, real: seen.length };
      });
      const places = network.places(
        rows.map(({ real }) => real - 1),
        length,
      );
      const scores = (await run({ ...network.feeds(graph, rows), ...places }))[output] as Float32Array;
      const words = scores.length / batch;
      for (const text of open) {
        const r = text.index - first;
        if (!grow(text, scores.subarray(r * words, (r + 1) * words))) open.delete(text);
      }
      told(first, k + 1, some.length);
    }
  }
}
