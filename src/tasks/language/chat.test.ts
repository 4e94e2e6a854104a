/** @file Chats by templates of well-known kinds: ids and answers token by token as transformers' apply_chat_template marks them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';
import { ChatTemplate, type Message } from './chat.ts';
import { marked } from './sequences.ts';

const golden = (name: string): unknown =>
  JSON.parse(readFileSync(`e2e/golden/tokenizers/${name}.json`, 'utf8'));
const kinds = golden('tokenizers') as {
  readonly name: string;
  readonly file: object;
  readonly config: object;
}[];
const templates = golden('chats') as {
  readonly name: string;
  readonly tokenizer: string;
  readonly template: string;
  readonly unmarked: string;
  readonly chats: readonly {
    readonly messages: readonly Message[];
    readonly ids?: readonly number[];
    readonly mask?: readonly number[];
    readonly refused?: string;
  }[];
}[];

const tokensOf = (kind: string): Promise<TextTokens> => {
  const { file, config } = kinds.find(({ name }) => name === kind)!;
  return TextTokens.read(
    memoryFiles({ 'tokenizer.json': JSON.stringify(file), 'tokenizer_config.json': JSON.stringify(config) }),
    'model.onnx',
  );
};

describe.each(templates)('$name', ({ tokenizer, template, unmarked, chats }) => {
  it.each([
    ['marked', template],
    ['as most files have it', unmarked],
  ])('%s', async (_, source) => {
    const tokens = await tokensOf(tokenizer);
    const chat = new ChatTemplate(source, tokens.special);
    for (const { messages, ids, mask, refused } of chats) {
      if (refused !== undefined) {
        expect(() => chat.pieces(messages, false)).toThrow(refused);
        continue;
      }
      const cut = (all: boolean) =>
        marked({ name: '', pieces: chat.pieces(messages, all), frame: 'template', question: null }, tokens);
      const made = await cut(false);
      expect(made.ids).toEqual(ids);
      expect(made.counted.map(Number), JSON.stringify(messages.map((m) => m.content))).toEqual(mask);
      expect(await cut(true)).toMatchObject({ ids, counted: ids!.map(() => true) });
    }
  });
});

const chat = (...contents: string[]): Message[] =>
  contents.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }));

describe('a template', () => {
  it('that changes answers is refused, with the way out', () => {
    const shouting = new ChatTemplate('{% for m in messages %}{{ m.content | upper }}\n{% endfor %}');
    expect(() => shouting.pieces(chat('a', 'b'), false)).toThrow(
      /what is to be learned cannot be told.*Learn/,
    );
    expect(shouting.pieces(chat('a', 'b'), true)).toEqual([{ text: 'A\nB\n', counted: true }]);
  });

  it('gets what messages have besides role and content', async () => {
    const calls = new ChatTemplate('{% for m in messages %}{{ m.name }}: {{ m.content }}{% endfor %}');
    expect(calls.render([{ role: 'user', content: 'x', name: 'ann' }], false)).toBe('ann: x');
  });
});

describe('no template', () => {
  it('writes a line for each message, and learns the answers with their ends', async () => {
    const pieces = new ChatTemplate(null).pieces(chat('a', 'b', 'c', 'd'), false);
    expect(pieces.map((p) => `${p.counted ? '+' : '-'}${p.text}`)).toEqual([
      '-user: a\nassistant: ',
      '+b\n',
      '-user: c\nassistant: ',
      '+d\n',
    ]);
    const tokens = await tokensOf("Llama 2's BPE with bytes");
    const { ids, counted } = await marked({ name: '', pieces, frame: 'lines', question: 'a' }, tokens);
    const learned = ids.filter((_, i) => counted[i]);
    expect(tokens.decode(learned)).toBe('b\n d\n'.replace(' d', 'd'));
    expect([ids[0], counted[0]]).toEqual([tokens.start, false]);
    expect([ids.at(-1), counted.at(-1)]).toEqual([tokens.end, true]);
  });
});
