/** @file Every kind of part of a tokenizer.json gives 🤗 tokenizers' own ids for texts of twenty languages, or is refused by its name. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normalizer } from './normalizers.ts';
import { preTokenizer } from './preTokenizers.ts';
import type { Part } from './read.ts';
import { Tokenizer } from './tokenizer.ts';

interface Case {
  readonly name: string;
  readonly model: string;
  readonly ids: string;
  readonly pairs: string;
  readonly texts: string;
}
const { texts, models, cases, characters } = JSON.parse(
  readFileSync('e2e/golden/tokenizers/kinds.json', 'utf8'),
) as {
  readonly texts: readonly string[];
  readonly models: Readonly<Record<string, { readonly of?: string; readonly byte_fallback?: boolean }>>;
  readonly cases: readonly Case[];
  readonly characters: {
    readonly known: readonly (readonly [number, number])[];
    readonly parts: readonly {
      readonly name: string;
      readonly normalizer?: Part;
      readonly pre_tokenizer?: Part;
      readonly hashes: string;
    }[];
  };
};

/** FNV-1a of the UTF-16 units. */
const hashOf = (text: string): string => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16).padStart(8, '0');
};
const hashes = (joined: string): readonly string[] => joined.match(/.{8}/g)!;

interface Model {
  readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
}
/** A model, or what another differs in from it. */
function modelOf(name: string): object {
  const own = models[name]!;
  if (own.of === undefined) return own;
  const base = modelOf(own.of) as Model;
  if (!own.byte_fallback) return { ...base, ...own };
  const names = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`);
  const { vocab } = base;
  return {
    ...base,
    ...own,
    vocab: Array.isArray(vocab)
      ? [...(vocab as unknown[]), ...names.map((n) => [n, -20])]
      : { ...vocab, ...Object.fromEntries(names.map((n, i) => [n, Object.keys(vocab).length + i])) },
  };
}

describe('ids', () => {
  it.each(cases)('$name', ({ model, ids, pairs, texts: decoded, ...file }) => {
    const tokenizer = new Tokenizer({ ...file, model: modelOf(model) });
    const made = texts.map((text) => tokenizer.encode(text, true));
    const wrong = (want: readonly string[], got: readonly string[]) =>
      got.flatMap((hash, i) => (hash === want[i] ? [] : [texts[i]]));
    expect(
      wrong(
        hashes(ids),
        made.map((row) => hashOf(row.join())),
      ),
    ).toEqual([]);
    const both = texts.slice(0, 6).map((text, i) => tokenizer.around(text, texts[i + 6]!));
    expect(
      wrong(
        hashes(pairs),
        both.map((t) => hashOf([...t.ids, ...t.types].join())),
      ),
    ).toEqual([]);
    expect(
      wrong(
        hashes(decoded),
        made.map((row) => hashOf(tokenizer.decode(row, false))),
      ),
    ).toEqual([]);
  });
});

describe('every character', () => {
  const known = characters.known.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i)),
  );
  it.each(characters.parts)('$name', ({ normalizer: normal, pre_tokenizer: cut, hashes: want }) => {
    const pieces = cut && preTokenizer(cut);
    const normalize = normal && normalizer(normal);
    const made = new Map<number, string[]>();
    for (const c of known) {
      const block = c.codePointAt(0)! >> 12;
      const list = made.get(block) ?? made.set(block, []).get(block)!;
      if (normalize) list.push(normalize(`e${c}`));
      if (pieces) list.push(Array.from(pieces({ text: `a${c}b`, first: true }), (p) => p.text).join('|'));
    }
    const wrong = hashes(want).flatMap((hash, block) =>
      hash === hashOf((made.get(block) ?? []).join('\n')) ? [] : [`U+${block.toString(16)}000`],
    );
    expect(wrong).toEqual([]);
  });
});

describe('refused by name', () => {
  const word = { model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'a' } };
  const split = (regex: string) => ({
    pre_tokenizer: { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated' },
  });
  it.each<[object, RegExp]>([
    [{ pre_tokenizer: { type: 'UnicodeScripts' } }, /pre-tokenizer "UnicodeScripts" is not supported/],
    [{ pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Odd' }] } }, /pre-tokenizer "Odd"/],
    [{ normalizer: { type: 'Odd' } }, /normalizer "Odd" is not supported/],
    [{ normalizer: { type: 'constructor' } }, /normalizer "constructor" is not supported/],
    [{ normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } }, /Precompiled table is cut off/],
    [{ post_processor: { type: 'Odd' } }, /post-processor "Odd" is not supported/],
    [{ decoder: { type: 'Odd' } }, /Odd/],
    [{ model: { type: 'Odd', vocab: {} } }, /model "Odd" is not supported/],
    [{ model: { type: 'BPE', vocab: { a: 0 }, merges: [], dropout: 0.1 } }, /by chance \(dropout\)/],
    [{ model: { type: 'BPE', vocab: { a: 0 }, merges: ['a b'] } }, /merge 1 needs the token "b"/],
    [split('(?x)a b'), /regular expression \(\?x\)a b is not supported/],
    [split('(?i)a'), /\(\?i\)a is not supported/],
    [split('(?-i:a)'), /is not supported/],
    [split('\\X'), /\\X is not supported/],
    [split('(a)\\1'), /\\1 is not supported/],
    [split('\\G.'), /\\G is not supported/],
    [split('(?i:é)'), /is not supported/],
    [split('[a'), /is not supported/],
    [split('(?<=a+)\\y'), /is not supported/],
    [{ pre_tokenizer: { type: 'Punctuation', behavior: 'Odd' } }, /behaviour "Odd"/],
    [{ pre_tokenizer: { type: 'Split', pattern: 'a', behavior: 'Isolated' } }, /Split has no usable pattern/],
    [
      { pre_tokenizer: { type: 'Metaspace', add_prefix_space: false, prepend_scheme: 'always' } },
      /contradict/,
    ],
  ])('%o', (part, message) => {
    expect(() => new Tokenizer({ ...word, ...part })).toThrow(message);
  });

  it('a word that nothing stands for', () => {
    const tokenizer = new Tokenizer({ model: { type: 'WordLevel', vocab: { a: 0 } } });
    expect(() => tokenizer.encode('b')).toThrow(/"b" has a word that the tokenizer does not know/);
  });
});

it('words that are names in JavaScript are words', () => {
  const vocab = JSON.parse('{"constructor": 0, "prototype": 1, "__proto__": 2, "<unk>": 3}') as object;
  const tokenizer = new Tokenizer({
    pre_tokenizer: { type: 'WhitespaceSplit' },
    model: { type: 'WordLevel', vocab, unk_token: '<unk>' },
  });
  expect(tokenizer.encode('constructor prototype __proto__ toString')).toEqual([0, 1, 2, 3]);
  expect(tokenizer.decode([0, 1, 2], false)).toBe('constructor prototype __proto__');
});
