/** @file Chat templates: random ones, well-known ones that were changed, and loops in loops. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { ChatTemplate, type Message, templateCure, templateReason } from '#src/tasks/language/chat.ts';
import { dice, type Dice } from '#src/tasks/testing/fuzz.ts';
import { bytesOf, type FuzzKind, textOf } from '../kind.ts';
import { drawn } from '../parts/regexes.ts';
import { damagedText } from '../parts/texts.ts';

const name = fc.constantFrom(
  'messages',
  'm',
  'm.content',
  'n',
  'n.a',
  'i',
  "'a'",
  '3',
  '[1, 2]',
  "{'a': 1}",
  'x',
  'range(9)',
  'm2(1)',
);
const { expression, statement } = fc.letrec<{ expression: string; statement: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3 },
    name,
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('+', '~', '*', '**', 'in', '==', 'and', 'or', '-', '%'),
        tie('expression'),
      )
      .map((x) => `(${x.join(' ')})`),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom(
          'length',
          'tojson',
          'list',
          'join',
          'trim',
          'sort',
          'indent(9)',
          "replace('', 'ab')",
          'string',
          'items',
          "join('ab')",
        ),
      )
      .map((x) => x.join(' | ')),
    fc
      .tuple(
        tie('expression'),
        fc.constantFrom('[0]', '[1:]', '[::-1]', '.a', ".replace('a', 'aa')", '.split()', '.upper()'),
      )
      .map((x) => x.join('')),
  ),
  statement: fc.oneof(
    { maxDepth: 4 },
    tie('expression').map((e) => `{{ ${e} }}`),
    tie('expression').map((e) => `{% set n.a = ${e} %}`),
    fc
      .tuple(fc.constantFrom('m', 'i'), tie('expression'), tie('statement'))
      .map(([x, e, s]) => `{% for ${x} in ${e} %}${s}{% endfor %}`),
    fc.tuple(tie('expression'), tie('statement')).map(([e, s]) => `{% if ${e} %}${s}{% endif %}`),
    tie('statement').map((s) => `{% for i in range(40) %}${s}{% endfor %}`),
    tie('statement').map((s) => `{% macro m2(x) %}${s}{% endmacro %}`),
    fc.tuple(tie('statement'), tie('statement')).map((x) => x.join('')),
  ),
}));

const random = fc
  .tuple(statement, expression)
  .map(([s, e]) => `{% set n = namespace(a='b') %}${s}{{ ${e} }}`);

const known = (
  JSON.parse(readFileSync(new URL('../../golden/tokenizers/chats.json', import.meta.url), 'utf8')) as {
    readonly template: string;
  }[]
).map(({ template }) => template);

const messages: readonly Message[] = [
  { role: 'user', content: 'Why?' },
  { role: 'assistant', content: 'Because.' },
];

function template(d: Dice): string {
  const one = d.chance(0.6) ? drawn(random, d.whole(2 ** 30)) : d.pick(known);
  return d.chance(0.4) ? damagedText(d, one) : one;
}

export const templates: FuzzKind = {
  ending: '.jinja',
  full: 5000,
  make: (seed) => bytesOf(template(dice(seed))),
  // What is said where rows of data are read, and where the model is.
  read: async (input) => {
    let chat: ChatTemplate;
    try {
      chat = new ChatTemplate(textOf(input), { bos_token: '<s>', eos_token: '</s>' });
    } catch (error) {
      const why = templateReason(error);
      return [
        {
          message: `It cannot be read: ${why}. Repair chat_template in tokenizer_config.json, or remove it.`,
        },
      ];
    }
    try {
      chat.render(messages, true);
      chat.pieces(messages);
      return [];
    } catch (error) {
      return [{ message: `The template refuses it (${templateReason(error)}).`, cure: templateCure(error) }];
    }
  },
};
