/** @file Byte-pair encoding: characters joined by rank, as 🤗 tokenizers does it. */
import { quoted } from '#src/platform/quoted.ts';
import { Reason } from '#src/platform/refusals.ts';
import * as v from 'valibot';
import { byteNames } from './bytes.ts';
import type { WordModel } from './types.ts';
import { MOST_TOKENS, vocabSchema } from './read.ts';

export const bpeSchema = v.looseObject({
  vocab: vocabSchema,
  merges: v.custom<readonly unknown[]>(Array.isArray, 'is no list'),
  dropout: v.nullish(v.number()),
  unk_token: v.nullish(v.string()),
  continuing_subword_prefix: v.nullish(v.string()),
  end_of_word_suffix: v.nullish(v.string()),
  fuse_unk: v.optional(v.boolean(), false),
  byte_fallback: v.optional(v.boolean(), false),
  ignore_merges: v.optional(v.boolean(), false),
});
type BpePart = v.InferOutput<typeof bpeSchema>;

/** Words whose tokens are kept. */
const KEPT = 20_000;
/** Longer words do not come again. */
const SHORT = 256;

/** Two neighbours that can be joined. */
interface Join {
  readonly at: number;
  readonly rank: number;
  readonly made: number;
}

/** The best first: of least rank, then furthest to the left. */
class Heap {
  readonly #list: Join[] = [];

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#list[a]!, this.#list[b]!];
    return x.rank < y.rank || (x.rank === y.rank && x.at < y.at);
  }

  #swap(a: number, b: number): void {
    [this.#list[a], this.#list[b]] = [this.#list[b]!, this.#list[a]!];
  }

  push(join: Join): void {
    let i = this.#list.push(join) - 1;
    for (let up = (i - 1) >> 1; i > 0 && this.#before(i, up); up = (i - 1) >> 1) {
      this.#swap(i, up);
      i = up;
    }
  }

  pop(): Join | undefined {
    const top = this.#list[0];
    const last = this.#list.pop();
    if (last && this.#list.length > 0) {
      this.#list[0] = last;
      for (let i = 0; ;) {
        let best = i;
        for (const child of [2 * i + 1, 2 * i + 2])
          if (child < this.#list.length && this.#before(child, best)) best = child;
        if (best === i) break;
        this.#swap(i, best);
        i = best;
      }
    }
    return top;
  }
}

/** Two tokens that a merge joins: a list, or a text with a space between them. */
function pairIn(merge: unknown): readonly [string, string] {
  if (typeof merge === 'string') {
    const space = merge.indexOf(' ');
    return [merge.slice(0, space), merge.slice(space + 1)];
  }
  if (Array.isArray(merge) && merge.length === 2 && merge.every((token) => typeof token === 'string'))
    return merge as unknown as [string, string];
  throw new Reason(`its merges hold ${quoted(merge, 40)}, which is no pair of tokens`);
}

/** @throws DataError for merges of what the vocabulary lacks, and for dropout, which draws other tokens each time */
export function bpe(part: BpePart): WordModel {
  if ((part.dropout ?? 0) > 0)
    throw new Reason('its BPE draws tokens by chance (dropout), which is not supported');
  const vocab = new Map(Object.entries(part.vocab));
  const prefix = part.continuing_subword_prefix ?? '';
  const suffix = part.end_of_word_suffix ?? '';
  /** By the two ids: rank and id of what they make. */
  const merges = new Map<number, readonly [rank: number, made: number]>();
  const pair = (a: number, b: number): number => a * MOST_TOKENS + b;
  part.merges.forEach((merge, rank) => {
    const [a, b] = pairIn(merge);
    const made = a + (prefix === '' ? b : b.slice(prefix.length));
    const ids = [a, b, made].map((token) => vocab.get(token));
    const missing = [a, b, made][ids.indexOf(undefined)];
    if (missing !== undefined)
      throw new Reason(
        `its merge ${rank + 1} needs the token "${missing.slice(0, 40)}", which its vocabulary lacks`,
      );
    merges.set(pair(ids[0]!, ids[1]!), [rank, ids[2]!]);
  });
  const unknown = part.unk_token == null ? undefined : vocab.get(part.unk_token);
  if (part.unk_token != null && unknown === undefined)
    throw new Reason(`its unk_token "${part.unk_token}" is not in its vocabulary`);

  /** Tokens of single characters, unknown ones as the vocabulary can. */
  const characters = (word: string): number[] => {
    const ids: number[] = [];
    /** An unknown character waits for others that it is one with. */
    let waiting = false;
    const flush = (): void => {
      if (waiting) ids.push(unknown!);
      waiting = false;
    };
    const list = Array.from(word);
    list.forEach((c, i) => {
      const token = (i > 0 ? prefix : '') + c + (i === list.length - 1 ? suffix : '');
      const id = vocab.get(token);
      if (id !== undefined) {
        flush();
        ids.push(id);
        return;
      }
      const bytes = part.byte_fallback ? byteNames(token).map((name) => vocab.get(name)) : [undefined];
      if (bytes.every((b) => b !== undefined)) ids.push(...bytes);
      else if (unknown !== undefined) {
        if (!part.fuse_unk) flush();
        waiting = true;
      }
    });
    flush();
    return ids;
  };

  const join = (ids: number[]): number[] => {
    const [next, before] = [ids.map((_, i) => i + 1), ids.map((_, i) => i - 1)];
    const heap = new Heap();
    const look = (at: number): void => {
      const right = next[at]!;
      const found = right < ids.length ? merges.get(pair(ids[at]!, ids[right]!)) : undefined;
      if (found) heap.push({ at, rank: found[0], made: found[1] });
    };
    ids.forEach((_, at) => {
      look(at);
    });
    for (let best = heap.pop(); best; best = heap.pop()) {
      const { at, made } = best;
      const right = next[at]!;
      // One of the two has been joined with another since.
      if (ids[at]! < 0 || right >= ids.length || merges.get(pair(ids[at]!, ids[right]!))?.[1] !== made)
        continue;
      ids[at] = made;
      ids[right] = -1;
      next[at] = next[right]!;
      if (next[at] < ids.length) before[next[at]] = at;
      if (before[at]! >= 0) look(before[at]!);
      look(at);
    }
    return ids.filter((id) => id >= 0);
  };

  const known = new Map<string, readonly number[]>();
  return {
    vocab,
    words: vocab.size,
    encode: (word) => {
      const kept = known.get(word);
      if (kept) return kept;
      const whole = part.ignore_merges ? vocab.get(word) : undefined;
      const ids = whole === undefined ? join(characters(word)) : [whole];
      if (word.length < SHORT) {
        if (known.size >= KEPT) known.clear();
        known.set(word, ids);
      }
      return ids;
    },
  };
}
