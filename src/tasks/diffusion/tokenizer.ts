/** @file Captions to token ids by a tokenizer.json, padded and truncated as that file says. */
import { fieldWords } from '#src/tasks/fields.ts';
import { reasonOf } from '#src/platform/refusals.ts';
import * as v from 'valibot';
import { DataError } from '#src/tasks/files.ts';
import { Tokenizer } from '#src/tasks/text/tokenizer/tokenizer.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(1));

const tokenizerSchema = v.looseObject({
  truncation: v.nullish(
    v.looseObject({ max_length: count, direction: v.optional(v.picklist(['Left', 'Right']), 'Right') }),
  ),
  padding: v.nullish(
    v.looseObject({
      strategy: v.union([v.literal('BatchLongest'), v.object({ Fixed: count })]),
      direction: v.optional(v.picklist(['Left', 'Right']), 'Right'),
      pad_id: v.pipe(v.number(), v.integer(), v.minValue(0)),
    }),
  ),
  model: v.looseObject({ unk_token: v.nullish(v.string()) }),
});

const tokenContent = v.union([v.string(), v.looseObject({ content: v.string() })]);
const configSchema = v.looseObject({
  model_max_length: v.optional(v.number()),
  pad_token: v.nullish(tokenContent),
});

/** No text encoder reads more; larger values (transformers writes 1e30) mean "unknown". */
const longest = 4096;

/** Characters of a caption among which unknown words are looked for: no text encoder reads what is beyond. */
const LOOKED_AT = 5000;

function parse<S extends v.GenericSchema>(schema: S, json: unknown, where: string): v.InferOutput<S> {
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new DataError(
    `${where} is not a tokenizer that Rotune can read: ${fieldWords(issue)}. Copy it from the original model.`,
  );
}

export class CaptionTokenizer {
  /** Ids in every row. */
  readonly length: number;
  readonly #tokenizer: Tokenizer;
  readonly #padId: number;
  readonly #padLeft: boolean;
  readonly #cutLeft: boolean;
  /** Id that stands for every word that is not in the vocabulary; undefined: there is none. */
  readonly #unknownId: number | undefined;

  /**
   * @param tokenizerJson content of tokenizer.json
   * @param tokenizerConfig content of tokenizer_config.json: names the special tokens
   * @param folder that holds them, for messages
   * @throws DataError if the files are not a tokenizer or say no length
   */
  constructor(tokenizerJson: unknown, tokenizerConfig: unknown, folder = 'tokenizer') {
    const file = parse(tokenizerSchema, tokenizerJson, `${folder}/tokenizer.json`);
    const config = parse(configSchema, tokenizerConfig, `${folder}/tokenizer_config.json`);
    try {
      this.#tokenizer = new Tokenizer(file, config);
    } catch (error) {
      throw new DataError(
        `${folder}/tokenizer.json is not a tokenizer that Rotune can read: ${reasonOf(error, 'its parts do not fit')}. Save it anew with AutoTokenizer.from_pretrained(…).save_pretrained(…).`,
      );
    }
    const { padding, truncation } = file;
    const fixed = typeof padding?.strategy === 'object' ? padding.strategy.Fixed : undefined;
    const length = fixed ?? truncation?.max_length ?? config.model_max_length;
    if (length === undefined || length > longest)
      throw new DataError(
        `The tokenizer says no length: neither padding nor truncation in ${folder}/tokenizer.json, nor model_max_length in ${folder}/tokenizer_config.json. Add model_max_length.`,
      );
    this.length = length;
    const token = config.pad_token;
    const padToken = typeof token === 'string' ? token : token?.content;
    this.#padId = padding?.pad_id ?? (padToken === undefined ? 0 : (this.#tokenizer.id(padToken) ?? 0));
    this.#unknownId = file.model.unk_token == null ? undefined : this.#tokenizer.id(file.model.unk_token);
    this.#padLeft = padding?.direction === 'Left';
    this.#cutLeft = truncation?.direction === 'Left';
    if (this.#ids('').length > length)
      throw new DataError(
        `The tokenizer's length of ${length} has no room for its own opening and closing tokens. Set a larger model_max_length.`,
      );
  }

  #ids(text: string, special = true): number[] {
    return this.#tokenizer.encode(text, special);
  }

  /** Token ids of a caption: exactly `length` of them. Too long a caption loses words, never its opening or closing token. */
  encode(text: string): Int32Array {
    let ids = this.#ids(text);
    if (ids.length > this.length) ids = this.#truncated(text, ids);
    const out = new Int32Array(this.length).fill(this.#padId);
    out.set(ids, this.#padLeft ? this.length - ids.length : 0);
    return out;
  }

  #truncated(text: string, ids: readonly number[]): number[] {
    const words = this.#ids(text, false);
    const around = ids.length - words.length;
    let before = 0;
    while (before < around && !words.every((id, i) => ids[before + i] === id)) before++;
    const room = this.length - around;
    return [
      ...ids.slice(0, before),
      ...(this.#cutLeft ? words.slice(words.length - room) : words.slice(0, room)),
      ...ids.slice(before + words.length),
    ];
  }

  /** How many tokens of the caption (specials included) do not fit. */
  overflow(text: string): number {
    return Math.max(0, this.#ids(text).length - this.length);
  }

  /** Words of the caption, between spaces, that the model has no token for: it sees the same one in place of each. */
  unknownWords(text: string): string[] {
    const unknown = this.#unknownId;
    const read = text.slice(0, LOOKED_AT);
    if (unknown === undefined || !this.#ids(read, false).includes(unknown)) return [];
    const words = new Set(read.split(/\s+/).filter((word) => word !== ''));
    return [...words].filter((word) => this.#ids(word, false).includes(unknown));
  }

  /** [captions, length], row-major. */
  encodeAll(texts: readonly string[]): Int32Array {
    const out = new Int32Array(texts.length * this.length);
    texts.forEach((text, i) => out.set(this.encode(text), i * this.length));
    return out;
  }
}
