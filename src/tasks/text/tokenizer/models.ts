/** @file Pieces of a text as tokens: 🤗 tokenizers' models. */
import { DataError } from '#src/tasks/files.ts';
import * as v from 'valibot';
import { bpe, bpeSchema } from './bpe.ts';
import { type Part, readPart, unknownKind, vocabSchema } from './read.ts';
import type { WordModel } from './types.ts';
import { unigram, unigramSchema } from './unigram.ts';

const wordPieceSchema = v.looseObject({
  vocab: vocabSchema,
  unk_token: v.optional(v.string(), '[UNK]'),
  continuing_subword_prefix: v.optional(v.string(), '##'),
  max_input_chars_per_word: v.optional(v.number(), 100),
});
const wordLevelSchema = v.looseObject({ vocab: vocabSchema, unk_token: v.nullish(v.string()) });

/** The token of unknown words. @param word that needs it */
function unknownOf(
  vocab: ReadonlyMap<string, number>,
  token: string | null | undefined,
  word: string,
): number {
  const id = token == null ? undefined : vocab.get(token);
  if (id !== undefined) return id;
  throw new DataError(
    `"${word.slice(0, 40)}" has a word that the tokenizer does not know, and ${token == null ? 'tokenizer.json names no unk_token' : `the unk_token "${token}" is not in its vocabulary`}. Use the tokenizer that belongs to the model, or spell the text otherwise.`,
  );
}

/** The longest piece that the vocabulary has, again and again; a word that comes out with a rest is unknown. */
function wordPiece(part: v.InferOutput<typeof wordPieceSchema>): WordModel {
  const vocab = new Map(Object.entries(part.vocab));
  const { continuing_subword_prefix: prefix, max_input_chars_per_word: longest, unk_token: unknown } = part;
  // Whatever the file says of words, no piece is longer than the longest that there is.
  const most = [...vocab.keys()].reduce((n, piece) => Math.max(n, piece.length), 0);
  const encode = (word: string): number[] => {
    const characters = Array.from(word);
    if (characters.length > longest) return [unknownOf(vocab, unknown, word)];
    const ids: number[] = [];
    for (let from = 0; from < characters.length;) {
      let to = Math.min(characters.length, from + most);
      let id: number | undefined;
      for (; to > from && id === undefined; to--)
        id = vocab.get((from > 0 ? prefix : '') + characters.slice(from, to).join(''));
      if (id === undefined) return [unknownOf(vocab, unknown, word)];
      ids.push(id);
      from = to + 1;
    }
    return ids;
  };
  return { vocab, words: vocab.size, encode };
}

function wordLevel({ vocab: words, unk_token: unknown }: v.InferOutput<typeof wordLevelSchema>): WordModel {
  const vocab = new Map(Object.entries(words));
  return { vocab, words: vocab.size, encode: (word) => [vocab.get(word) ?? unknownOf(vocab, unknown, word)] };
}

/** Older files do not say which kind a model is. */
function kindOf(model: Readonly<Record<string, unknown>>): string {
  if (typeof model['type'] === 'string') return model['type'];
  if (Array.isArray(model['vocab'])) return 'Unigram';
  if ('merges' in model) return 'BPE';
  return 'continuing_subword_prefix' in model ? 'WordPiece' : 'WordLevel';
}

/** @throws DataError for a kind that is not supported, by its name, and for one without a vocabulary */
export function wordModel(model: Readonly<Record<string, unknown>>): WordModel {
  const type = kindOf(model);
  const part: Part = { ...model, type };
  if (type === 'BPE') return bpe(readPart(bpeSchema, part));
  if (type === 'Unigram') return unigram(readPart(unigramSchema, part));
  if (type === 'WordPiece') return wordPiece(readPart(wordPieceSchema, part));
  if (type === 'WordLevel') return wordLevel(readPart(wordLevelSchema, part));
  return unknownKind('model', type);
}
