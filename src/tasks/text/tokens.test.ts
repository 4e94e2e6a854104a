/** @file Tokenizers of every usual kind give transformers' own ids, and turn them back into its texts. */
import { Breath } from '#src/platform/breath.ts';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LONGEST_TEXT } from '#src/platform/limits.ts';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { TextTokens } from './tokens.ts';

interface Case {
  readonly name: string;
  readonly file: object;
  readonly config: Readonly<Record<string, string>>;
  readonly texts: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly special: readonly number[];
    readonly decoded: string;
  }[];
}

const cases = JSON.parse(readFileSync('e2e/golden/tokenizers/tokenizers.json', 'utf8')) as Case[];

describe.each(cases)('$name', ({ file, config, texts }) => {
  const tokens = TextTokens.read(
    memoryFiles({ 'tokenizer.json': JSON.stringify(file), 'tokenizer_config.json': JSON.stringify(config) }),
    'model.onnx',
  );
  it.each(texts)('$text', async ({ text, ids, special, decoded }) => {
    const t = await tokens;
    expect(t.encode(text)).toEqual(ids);
    expect(t.encode(text, true)).toEqual(special);
    expect(t.decode(ids)).toBe(decoded);
  });
});

describe('what lies beside the tokenizer', () => {
  const { file } = cases.find(({ name }) => name.startsWith('Llama 3'))!;
  const read = (files: Readonly<Record<string, object>> = {}): Promise<TextTokens> =>
    TextTokens.read(
      memoryFiles(
        Object.fromEntries(
          Object.entries({ 'tokenizer.json': file, ...files }).map(([name, content]) => [
            name,
            typeof content === 'string' ? content : JSON.stringify(content),
          ]),
        ),
      ),
      'model.onnx',
    );

  it('says all that ends an answer', async () => {
    const tokens = await read({
      'tokenizer_config.json': { eos_token: '</s>' },
      'generation_config.json': { eos_token_id: [1, 4] },
    });
    expect([tokens.end, [...tokens.ends].sort()]).toEqual([1, [1, 4]]);
    expect([...(await read({ 'config.json': { eos_token_id: 3 } })).ends]).toContain(3);
  });

  it('says how long a text may be: the least of what is said', async () => {
    expect((await read()).longest).toBeNull();
    expect((await read({ 'tokenizer_config.json': { model_max_length: 1e30 } })).longest).toBeNull();
    expect((await read({ 'config.json': { n_positions: 48 } })).longest).toBe(48);
    const both = { 'tokenizer_config.json': { model_max_length: 512 } };
    expect((await read({ ...both, 'config.json': { max_position_embeddings: 514 } })).longest).toBe(512);
  });

  it('knows no unknown word where that token is the end, too, as GPT-2’s', async () => {
    const unknown = async (config: object) => (await read({ 'tokenizer_config.json': config })).unknown;
    expect(await unknown({ eos_token: '</s>', unk_token: '</s>' })).toBeNull();
    expect(await unknown({ eos_token: '</s>', unk_token: '<unk>' })).toBe(2);
  });

  it('need not say what unknown words are, where the tokenizer does', async () => {
    const words = cases.find(({ name }) => name === 'words')!;
    const tokens = await read({ 'tokenizer.json': words.file });
    for (const { text, ids } of words.texts) expect(tokens.encode(text)).toEqual(ids);
  });

  it('need not name the start: the tokenizer puts it', async () => expect((await read()).start).toBe(0));

  it('may be no configuration at all', async () =>
    expect(
      (await read({ 'config.json': { n_positions: 'many' }, 'generation_config.json': [] })).longest,
    ).toBeNull());
});

describe('a tokenizer', () => {
  const read = (model: object, more: object = {}): Promise<TextTokens> =>
    TextTokens.read(memoryFiles({ 'tokenizer.json': JSON.stringify({ model, ...more }) }), 'model.onnx');
  const words = (id: number): object => ({ type: 'WordLevel', vocab: { a: 0, b: id }, unk_token: 'a' });

  it.each([-1, 0.5, 2 ** 26, null])('whose words have numbers such as %s is refused', async (id) => {
    await expect(read(words(id as number))).rejects.toThrow(/no usable vocab/);
  });

  it('may have numbers up to the largest', async () => {
    expect((await read(words(2 ** 26 - 1))).encode('b')).toEqual([2 ** 26 - 1]);
  });

  it.each([-1, 1.5])('that puts a token %s around texts is refused', async (id) => {
    const around = { type: 'BertProcessing', sep: ['a', id], cls: ['a', 0] };
    await expect(read(words(1), { post_processor: around })).rejects.toThrow(/no usable sep/);
  });

  it('reads a text as long as is allowed, and says how long a longer one is', async () => {
    const tokens = await read(words(1));
    const longest = 'x'.repeat(LONGEST_TEXT);
    expect(tokens.encode(longest)).toEqual([0]);
    const refusal = /16,777,217 characters; up to 16,777,216 are read as one text/;
    expect(() => tokens.encode(`${longest}x`)).toThrow(refusal);
    await expect(tokens.around('x', `${longest}x`, new Breath())).rejects.toThrow(refusal);
  });
});
