/** @file CLIP's tokenizer from vocab.json and merges.txt, as the content of a tokenizer.json: Stable Diffusion folders often have no such file. */
import * as v from 'valibot';
import { DataError } from '#src/tasks/files.ts';
import { vocabSchema } from '#src/tasks/text/tokenizer/read.ts';

const start = '<|startoftext|>';
const end = '<|endoftext|>';

/**
 * Byte-level pairs with `</w>` at the end of words, over lower-cased text with single spaces (transformers' CLIPTokenizer).
 * @param vocab content of vocab.json
 * @param merges text of merges.txt: one pair a line, after a line with the version
 * @throws DataError if the files are not CLIP's
 */
export function clipTokenizerJson(vocab: unknown, merges: string, where: string): unknown {
  const parsed = v.safeParse(vocabSchema, vocab);
  if (!parsed.success)
    throw new DataError(
      `${where}/vocab.json is no list of tokens with their numbers. Copy it from the original model.`,
    );
  const ids = parsed.output;
  const [startId, endId] = [ids[start], ids[end]];
  if (startId === undefined || endId === undefined)
    throw new DataError(
      `${where}/vocab.json lacks ${startId === undefined ? start : end}: it is not CLIP's. Save the tokenizer with \`AutoTokenizer.from_pretrained(…).save_pretrained(…)\`, which writes a tokenizer.json.`,
    );
  const pairs = merges
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#version'))
    .map((line) => line.split(' '));
  const odd = pairs.find((pair) => pair.length !== 2);
  if (odd)
    throw new DataError(
      `${where}/merges.txt has a line that is no pair: "${odd.join(' ').slice(0, 60)}". Copy it from the original model.`,
    );
  const special = (content: string, id: number): unknown => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [special(start, startId), special(end, endId)],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {
          type: 'Split',
          pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
          behavior: 'Removed',
          invert: true,
        },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [end, endId],
      cls: [start, startId],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: end,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: ids,
      merges: pairs,
    },
  };
}
