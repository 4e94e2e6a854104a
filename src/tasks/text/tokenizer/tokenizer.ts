/** @file A tokenizer.json as 🤗 tokenizers reads it: the same ids for every text, or a refusal that names what is not supported. */
import type { Breath } from '#src/platform/breath.ts';
import { Reason } from '#src/platform/refusals.ts';
import {
  ByteFallbackDecoder,
  ReplaceDecoder,
  SequenceDecoder,
  Tokenizer as Library,
} from '@huggingface/tokenizers';
import * as v from 'valibot';
import { type Added, addedFinder, addedSchema } from './added.ts';
import { wordModel } from './models.ts';
import type { WordModel } from './types.ts';
import { normalizer } from './normalizers.ts';
import { joinTexts, postProcessor, type Typed, typedText } from './postProcessors.ts';
import { preTokenizer } from './preTokenizers.ts';
import { replaced } from './finder.ts';
import { checkParts, kindSchema, type Part, patternSchema, readPart } from './read.ts';
import { patternOf } from './regex.ts';

const fileSchema = v.looseObject({
  added_tokens: v.optional(v.nullable(v.array(addedSchema)), []),
  normalizer: v.nullish(kindSchema),
  pre_tokenizer: v.nullish(kindSchema),
  post_processor: v.nullish(kindSchema),
  decoder: v.nullish(kindSchema),
  model: v.looseObject({}),
});

const named = v.union([v.string(), addedSchema]);
const configSchema = v.looseObject({
  added_tokens_decoder: v.nullish(v.record(v.string(), addedSchema)),
  additional_special_tokens: v.nullish(v.array(named)),
  extra_special_tokens: v.nullish(v.union([v.array(named), v.record(v.string(), named)])),
});
const NAMED = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'].map((name) => `${name}_token`);

type AddedPart = v.InferOutput<typeof addedSchema>;

/** Tokens that tokenizer_config.json names: transformers takes them for special ones, whatever tokenizer.json says. */
function namedIn(config: unknown): AddedPart[] {
  const read = v.safeParse(configSchema, config);
  if (!read.success) return [];
  const {
    added_tokens_decoder: decoder,
    additional_special_tokens: more,
    extra_special_tokens: extra,
  } = read.output;
  const special = [
    ...NAMED.map((key) => v.safeParse(named, read.output[key])).flatMap((r) => (r.success ? [r.output] : [])),
    ...(more ?? []),
    ...(Array.isArray(extra) ? extra : Object.values(extra ?? {})),
  ].map((token): AddedPart =>
    typeof token === 'string'
      ? { content: token, single_word: false, lstrip: false, rstrip: false, special: true }
      : { ...token, special: true },
  );
  return [...Object.values(decoder ?? {}), ...special];
}

/** Numbers of added tokens: the model's own where it has them, else on from its last. */
function numbered(
  own: readonly AddedPart[],
  config: readonly AddedPart[],
  { vocab, words }: WordModel,
): Added[] {
  const out = new Map<string, Added>();
  let next = words;
  const add = (part: AddedPart, id: number): void => {
    out.set(part.content, {
      id,
      content: part.content,
      single: part.single_word,
      left: part.lstrip,
      right: part.rstrip,
      special: part.special,
      normalized: part.normalized ?? !part.special,
    });
  };
  for (const part of own) {
    if (part.content === '' || out.has(part.content)) continue;
    const id = vocab.get(part.content) ?? next;
    if (id === next) next++;
    add(part, id);
  }
  // The model has no place for what only its configuration names.
  for (const part of config) {
    const id = vocab.get(part.content);
    if (id !== undefined && !out.has(part.content)) add(part, id);
  }
  return [...out.values()];
}

/** What stands for unknown words, where a list of words leaves that to the configuration. */
function unknownWord(model: Readonly<Record<string, unknown>>, config: object): object {
  const token = v.safeParse(named, (config as Readonly<Record<string, unknown>>)['unk_token']);
  if (model['unk_token'] != null || !token.success || Array.isArray(model['vocab']) || 'merges' in model)
    return {};
  return { unk_token: typeof token.output === 'string' ? token.output : token.output.content };
}

export class Tokenizer {
  /** Tokens of a text, a piece of it at a time. */
  readonly #pieces: (text: string) => Iterable<readonly number[]>;
  readonly #around: (texts: readonly Typed[], special: boolean) => readonly Typed[];
  readonly #ids = new Map<string, number>();
  readonly #tokens: (string | undefined)[] = [];
  readonly #library: Library;

  /**
   * @param file content of tokenizer.json
   * @param config content of tokenizer_config.json: it names special tokens
   * @throws DataError with what is not supported: "its pre-tokenizer "X" is not supported"
   */
  constructor(file: unknown, config: object = {}) {
    const read = v.safeParse(fileSchema, file);
    if (!read.success)
      throw new Reason(`${v.getDotPath(read.issues[0]) ?? 'the file'} is missing or of another kind`);
    const { added_tokens: parts, normalizer: normal, pre_tokenizer: cut, post_processor: post } = read.output;
    checkParts(normal, cut, read.output.decoder);
    const { model: words } = read.output;
    const model = wordModel({ ...words, ...unknownWord(words, config) });
    const added = numbered(parts ?? [], namedIn(config), model);
    const normalize = normal ? normalizer(normal) : (text: string): string => text;
    const pieces = cut ? preTokenizer(cut) : null;
    const find = addedFinder(added, normalize);
    this.#pieces = function* (text) {
      for (const found of find(text)) {
        if ('id' in found) {
          yield [found.id];
          continue;
        }
        const piece = { text: found.text, first: found.at === 0 };
        for (const p of pieces ? pieces(piece) : [piece]) if (p.text !== '') yield model.encode(p.text);
      }
    };
    this.#around = post ? postProcessor(post) : (texts) => texts;
    for (const [token, id] of model.vocab) {
      this.#ids.set(token, id);
      this.#tokens[id] = token;
    }
    for (const { content, id } of added) {
      this.#ids.set(content, id);
      this.#tokens[id] = content;
    }
    this.#library = decoding(read.output, added, model, config);
  }

  /** @param special with the tokens that the tokenizer puts around a text */
  encode(text: string, special = false): number[] {
    return [...this.around(text, null, special).ids];
  }

  /** The same of a long text without what stands around, with breaths between its pieces. Throws what the breath throws. */
  async encodeSlowly(text: string, breath: Breath): Promise<number[]> {
    const ids = await this.#encodeSlowly(text, breath);
    return [...joinTexts(this.#around([typedText(ids, 0)], false)).ids];
  }

  async #encodeSlowly(text: string, breath: Breath): Promise<number[]> {
    const ids: number[] = [];
    for (const piece of this.#pieces(text)) {
      for (const id of piece) ids.push(id);
      if (breath.due) await breath.take();
    }
    return ids;
  }

  #encode(text: string): number[] {
    const ids: number[] = [];
    for (const piece of this.#pieces(text)) for (const id of piece) ids.push(id);
    return ids;
  }

  /** A text, or a pair, with what stands around and between, and the type of each token. */
  around(text: string, pair: string | null, special = true): Typed {
    const texts = (pair === null ? [text] : [text, pair]).map((t, i) => typedText(this.#encode(t), i));
    return joinTexts(this.#around(texts, special));
  }

  /** The same of long texts, with breaths between their pieces. Throws what the breath throws. */
  async aroundSlowly(text: string, pair: string | null, breath: Breath): Promise<Typed> {
    const texts: Typed[] = [];
    for (const [i, t] of (pair === null ? [text] : [text, pair]).entries())
      texts.push(typedText(await this.#encodeSlowly(t, breath), i));
    return joinTexts(this.#around(texts, true));
  }

  /** What stands before a text; null: nothing. */
  get start(): number | null {
    const [first = null] = joinTexts(this.#around([typedText([-1], 0)], true)).ids;
    return first === -1 ? null : first;
  }

  /** @param cleanUp without spaces before punctuation */
  decode(ids: readonly number[], cleanUp: boolean): string {
    if (ids.length === 0) return '';
    return this.#library.decode([...ids], {
      skip_special_tokens: true,
      clean_up_tokenization_spaces: cleanUp,
    });
  }

  id(token: string): number | undefined {
    return this.#ids.get(token);
  }

  token(id: number): string | undefined {
    return this.#tokens[id];
  }
}

/** Bytes that are no UTF-8 are so many replacement characters, as in Rust; and a byte order mark is a character. */
class WholeBytes extends TextDecoder {
  constructor() {
    super('utf-8', { fatal: true, ignoreBOM: true });
  }

  override decode(bytes?: AllowSharedBufferSource): string {
    try {
      return super.decode(bytes);
    } catch {
      return '\uFFFD'.repeat(bytes?.byteLength ?? 0);
    }
  }
}

const replaceSchema = v.looseObject({ pattern: patternSchema, content: v.optional(v.string(), '') });

const sequenceSchema = v.looseObject({ decoders: v.array(kindSchema) });

/** A decoder as the library is to have it: expressions are ours, and it would compile them in its own way. */
function withoutPatterns(part: Part): Part {
  if (part.type === 'Sequence')
    return { ...part, decoders: readPart(sequenceSchema, part).decoders.map(withoutPatterns) };
  return part.type === 'Replace' ? { ...part, pattern: { String: ' ' } } : part;
}

/** Has bytes read as Rust reads them, and expressions run within their steps. @throws Reason for one that cannot be run here */
function mend(decoder: unknown, part: Part): void {
  if (decoder instanceof ReplaceDecoder) {
    const { pattern, content } = readPart(replaceSchema, part);
    const found = patternOf(pattern);
    decoder.decode_chain = (tokens) => tokens.map((token) => replaced(found, token, content));
  }
  if (decoder instanceof SequenceDecoder) {
    const parts = readPart(sequenceSchema, part).decoders;
    decoder.decoders.forEach((step, i) => mend(step, parts[i]!));
  }
  if (decoder instanceof ByteFallbackDecoder) decoder.text_decoder = new WholeBytes();
}

/** The library's tokenizer, for texts from tokens: without what only makes tokens from texts. */
function decoding(
  file: v.InferOutput<typeof fileSchema>,
  added: readonly Added[],
  { vocab }: WordModel,
  config: object,
): Library {
  const suffix: unknown = file.model['end_of_word_suffix'];
  const made = new Library(
    {
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: file.decoder ? withoutPatterns(file.decoder) : null,
      added_tokens: added.map(({ id, content, special }) => ({ id, content, special })),
      model: {
        type: 'BPE',
        vocab: Object.fromEntries(vocab),
        merges: [],
        ...(typeof suffix === 'string' && suffix !== '' && { end_of_word_suffix: suffix }),
      },
    },
    config,
  );
  if (file.decoder) mend(made.decoder, file.decoder);
  return made;
}
