/** @file Text that a model writes, token by token: greedy, or drawn by temperature and top-p (Holtzman et al. 1904.09751). */
import { softmax } from '#src/tasks/classification/metrics.ts';
import { random } from '#src/tasks/random.ts';
import type { Adapted, Tell } from '#src/tasks/types.ts';
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

/** What follows each prompt, up to the end token. The window slides where it is full. */
export async function generate(
  network: LanguageNetwork,
  tokens: TextTokens,
  length: number,
  wish: Wish,
  adapted: Adapted,
  tell: Tell,
): Promise<string[]> {
  const batch = network.inputs.batch ?? Math.max(1, wish.prompts.length);
  const made = wish.prompts.map((): number[] => []);
  const spelt = wish.prompts.map((_, i) =>
    (wish.again?.[i] ?? []).map((id) => tokens.token(id) ?? '').join(''),
  );
  const left = [...spelt];
  const { graph, output } = network.next(batch, length);
  const run = await adapted.run('language next', graph);
  for (let first = 0; first < wish.prompts.length; first += batch) {
    const some = made.slice(first, first + batch);
    const open = new Set(some.keys());
    for (let k = 0; open.size > 0; k++) {
      const rows = Array.from({ length: batch }, (_, r) => {
        const whole = [...(wish.prompts[first + r] ?? wish.prompts[0]!), ...(some[r] ?? [])].slice(-length);
        const ids = new Int32Array(length).fill(tokens.pad);
        ids.set(whole);
        return { ids, real: whole.length };
      });
      const out = await run({
        ...network.feeds(graph, rows),
        ...network.places(
          rows.map(({ real }) => real - 1),
          length,
        ),
      });
      const scores = out[output] as Float32Array;
      const words = scores.length / batch;
      for (const r of open) {
        const u = random(wish.seed, 'sample', (first + r) * 65_536 + k).uniform(1)[0]!;
        const own = scores.subarray(r * words, (r + 1) * words);
        const due = left[first + r]!;
        const id = nextToken(due === '' ? own : spelling(own, due, tokens), wish.temperature, wish.topP, u);
        if (due === '' && tokens.ends.has(id)) open.delete(r);
        else if (some[r]!.push(id) >= wish.newTokens + (wish.again?.[first + r]?.length ?? 0)) open.delete(r);
        left[first + r] = due.slice((tokens.token(id) ?? '').length);
      }
      tell(
        first * wish.newTokens + Math.min(k + 1, wish.newTokens) * some.length,
        wish.prompts.length * wish.newTokens,
      );
    }
  }
  return made.map((ids, i) => {
    const text = tokens.decode(ids);
    const before = spelt[i] === '' ? '' : tokens.decode(wish.again![i]!);
    return text.startsWith(before) ? text.slice(before.length) : text;
  });
}
