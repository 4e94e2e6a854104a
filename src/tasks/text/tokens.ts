/** @file Text ↔ token ids of a language model, and its special tokens. */
import type { Breath } from '#src/platform/breath.ts';
import { LONGEST_TEXT } from '#src/platform/limits.ts';
import { Reason, reasonOf } from '#src/platform/refusals.ts';
import { notJson } from '#src/platform/sniff.ts';
import * as v from 'valibot';
import { DataError, type FileSet } from '#src/tasks/files.ts';
import { bytesBeside, textBeside } from '#src/tasks/textFiles.ts';
import type { Typed } from './tokenizer/postProcessors.ts';
import { Tokenizer } from './tokenizer/tokenizer.ts';

const tokenContent = v.union([v.string(), v.looseObject({ content: v.string() })]);
const configSchema = v.looseObject({
  model_max_length: v.optional(v.number()),
  eos_token: v.nullish(tokenContent),
  pad_token: v.nullish(tokenContent),
  unk_token: v.nullish(tokenContent),
  bos_token: v.nullish(tokenContent),
  clean_up_tokenization_spaces: v.nullish(v.boolean()),
  chat_template: v.nullish(
    v.union([v.string(), v.array(v.looseObject({ name: v.string(), template: v.string() }))]),
  ),
});
const fileSchema = v.looseObject({ model: v.looseObject({ unk_token: v.nullish(v.string()) }) });

/** config.json and generation_config.json beside the model. */
const modelSchema = v.looseObject({
  eos_token_id: v.nullish(v.union([v.number(), v.array(v.number())])),
  max_position_embeddings: v.nullish(v.number()),
  n_positions: v.nullish(v.number()),
  n_ctx: v.nullish(v.number()),
  max_sequence_length: v.nullish(v.number()),
  max_seq_length: v.nullish(v.number()),
  max_seq_len: v.nullish(v.number()),
  seq_length: v.nullish(v.number()),
  model_type: v.nullish(v.string()),
  pad_token_id: v.nullish(v.number()),
});
type ModelConfig = v.InferOutput<typeof modelSchema>;

type Config = v.InferOutput<typeof configSchema>;
const named = (token: Config['eos_token']): string | null =>
  token === null || token === undefined ? null : typeof token === 'string' ? token : token.content;

/** Models that count places from behind the padding's: so many fewer tokens than positions. */
const BEHIND_PADDING = /roberta|camembert|longformer|xmod|mpnet/i;

/** Tokens that a model's configuration lets it read. */
function lengthsIn(config: ModelConfig): number[] {
  const { model_type: kind, pad_token_id: padding, max_position_embeddings: positions } = config;
  const lost = BEHIND_PADDING.test(kind ?? '') ? (padding ?? 1) + 1 : 0;
  return [
    typeof positions === 'number' ? positions - lost : null,
    config.n_positions,
    config.n_ctx,
    config.max_sequence_length,
    config.max_seq_length,
    config.max_seq_len,
    config.seq_length,
  ].filter((n): n is number => typeof n === 'number');
}

/** End tokens of well-known models, where no file says which it is. */
const usualEnds = ['<|endoftext|>', '</s>', '<|im_end|>', '<|end_of_text|>', '<eos>'];

async function jsonOf(files: FileSet, path: string): Promise<unknown> {
  const bytes = await bytesBeside(files, path);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new DataError(...notJson(path, bytes, 'Copy it from the original model again.'));
  }
}

/** The file of that name beside the model, else one level down in tokenizer/, else the only one anywhere. */
function beside(files: FileSet, model: string, name: string): string | undefined {
  const folder = model.slice(0, model.lastIndexOf('/') + 1);
  const usual = [folder + name, `${folder}tokenizer/${name}`, name].find((p) => files.paths.includes(p));
  if (usual !== undefined) return usual;
  const all = files.paths.filter((p) => p === name || p.endsWith(`/${name}`));
  return all.length === 1 ? all[0] : undefined;
}

function checkLength({ length }: string): void {
  if (length > LONGEST_TEXT)
    throw new Reason(
      `it has ${length.toLocaleString('en')} characters; up to ${LONGEST_TEXT.toLocaleString('en')} are read as one text, and longer ones must be cut into several`,
    );
}

export class TextTokens {
  /** null: the tokenizer has no end. */
  readonly end: number | null;
  /** All that ends what the model writes: chat models have an end of the turn, too (generation_config.json). */
  readonly ends: ReadonlySet<number>;
  readonly pad: number;
  /** What the tokenizer puts before a text; null: nothing. */
  readonly start: number | null;
  readonly unknown: number | null;
  /** Names of special tokens, for chat templates. */
  readonly special: Readonly<Record<string, string>>;
  readonly template: string | null;
  /** Tokens that the model reads at most, where its files say so. */
  readonly longest: number | null;
  readonly #tokenizer: Tokenizer;
  readonly #cleanUp: boolean;

  private constructor(
    tokenizer: Tokenizer,
    file: v.InferOutput<typeof fileSchema>,
    config: Config,
    template: string | null,
    models: readonly ModelConfig[],
  ) {
    this.#tokenizer = tokenizer;
    // As transformers has it where nothing is said.
    this.#cleanUp = config.clean_up_tokenization_spaces ?? false;
    const id = (token: string | null | undefined): number | null =>
      token === null || token === undefined ? null : (tokenizer.id(token) ?? null);
    const end = named(config.eos_token) ?? usualEnds.find((t) => tokenizer.id(t) !== undefined) ?? null;
    this.end = id(end);
    const ends = models.flatMap((m) => m.eos_token_id ?? []);
    this.ends = new Set(this.end === null ? ends : [this.end, ...ends]);
    this.pad = id(named(config.pad_token)) ?? this.end ?? 0;
    this.start = tokenizer.start;
    const unknown = id(named(config.unk_token) ?? file.model.unk_token);
    // GPT-2's is its end: there it says nothing of words.
    this.unknown = unknown === this.end || unknown === this.start ? null : unknown;
    this.template = template;
    const longest = [config.model_max_length, ...models.flatMap(lengthsIn)].filter(
      (n): n is number => typeof n === 'number' && n >= 1 && n <= 2 ** 20,
    );
    this.longest = longest.length > 0 ? Math.min(...longest) : null;
    this.special = Object.fromEntries(
      (['eos_token', 'bos_token', 'pad_token', 'unk_token'] as const).flatMap((key) => {
        const token = key === 'eos_token' ? end : named(config[key]);
        return token === null ? [] : [[key, token]];
      }),
    );
  }

  /**
   * Reads tokenizer.json (and tokenizer_config.json, chat_template.jinja) beside the model.
   * @throws DataError where there is none, or it cannot be read
   */
  static async read(files: FileSet, model: string): Promise<TextTokens> {
    const path = beside(files, model, 'tokenizer.json');
    if (path === undefined)
      throw new DataError(
        `${files.name} has no tokenizer.json. Put the one that belongs to the model beside it: AutoTokenizer.from_pretrained(…).save_pretrained(…) writes it.`,
      );
    const file = v.safeParse(fileSchema, await jsonOf(files, path));
    const configPath = beside(files, model, 'tokenizer_config.json');
    const config = v.safeParse(configSchema, configPath === undefined ? {} : await jsonOf(files, configPath));
    if (!file.success)
      throw new DataError(`${path} is not a tokenizer: it has no model. Copy it from the original model.`);
    if (!config.success)
      throw new DataError(
        `${configPath} is not a tokenizer's configuration. Copy it from the original model.`,
      );
    let tokenizer: Tokenizer;
    try {
      tokenizer = new Tokenizer(file.output, config.output);
    } catch (error) {
      throw new DataError(
        `${path} is not a tokenizer that Rotune can read: ${reasonOf(error, 'its parts do not fit')}. Save it anew with AutoTokenizer.from_pretrained(…).save_pretrained(…).`,
      );
    }
    const own = config.output.chat_template;
    const inConfig = typeof own === 'string' ? own : own?.find((t) => t.name === 'default')?.template;
    const templatePath = beside(files, model, 'chat_template.jinja');
    const template = inConfig ?? (templatePath === undefined ? null : await textBeside(files, templatePath));
    const models: ModelConfig[] = [];
    for (const name of ['config.json', 'generation_config.json']) {
      const modelConfig = beside(files, model, name);
      // What is there besides is no tokenizer's: files of other kinds by that name are passed over.
      const read = v.safeParse(
        modelSchema,
        modelConfig === undefined ? {} : await jsonOf(files, modelConfig).catch(() => ({})),
      );
      if (read.success) models.push(read.output);
    }
    return new TextTokens(tokenizer, file.output, config.output, template, models);
  }

  /**
   * @param special with the tokens that the tokenizer puts around a text
   * @throws DataError for words that it does not know, where it has no token for these; Reason for a text that is too long
   */
  encode(text: string, special = false): number[] {
    checkLength(text);
    return this.#tokenizer.encode(text, special);
  }

  /** The same tokens of a long text, with breaths between its pieces. Throws what the breath throws, too. */
  async encodeSlowly(text: string, breath: Breath): Promise<number[]> {
    checkLength(text);
    return this.#tokenizer.encodeSlowly(text, breath);
  }

  /**
   * A text, or a pair of texts, with all that the tokenizer puts around and between, and the type of each token; with breaths between its pieces. Throws what
   * the breath throws, too.
   */
  async around(text: string, pair: string | null, breath: Breath): Promise<Typed> {
    checkLength(text);
    if (pair !== null) checkLength(pair);
    return this.#tokenizer.aroundSlowly(text, pair, breath);
  }

  /** A token as the vocabulary writes it; null: there is none of that number. */
  token(id: number): string | null {
    return this.#tokenizer.token(id) ?? null;
  }

  decode(ids: readonly number[]): string {
    return this.#tokenizer.decode(ids, this.#cleanUp);
  }
}
