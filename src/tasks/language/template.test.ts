/** @file No chat template keeps a worker busy: it answers, or is refused in plain words. A hang fails by the test's time. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ChatTemplate, type Message, templateCure, templateReason } from './chat.ts';
import { TemplateLimit } from './template.ts';

const messages: readonly Message[] = [
  { role: 'user', content: 'Why?' },
  { role: 'assistant', content: 'Because.' },
];
const loop = (inner: string, n = 100_000): string => `{% for i in range(${n}) %}${inner}{% endfor %}`;
const doubling = (step: string, n = 60): string =>
  `{% set n = namespace(a='aa', l=[1]) %}${loop(step, n)}{{ n.a }}`;
const rendered = (template: string): string => new ChatTemplate(template).render(messages, false);

describe('is stopped', () => {
  it.each<[string, string, RegExp]>([
    ['loops in loops', loop(loop('{% set a = i %}')), /loops too often/],
    ['empty loops in loops', loop(loop('')), /loops too often/],
    ['a range of thousands of millions', '{{ range(10000000000) | length }}', /range of 10000000000 numbers/],
    ['a range of texts', "{{ range('', '~') }}", /range of what are no whole numbers/],
    ['a macro that calls itself', '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}', /nested too deeply/],
    [
      'one that calls itself twice',
      '{% macro m(n) %}{% if n > 0 %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}',
      /loops too often/,
    ],
    ['text that doubles', doubling('{% set n.a = n.a + n.a %}'), /too long a text/],
    ['text joined to itself', doubling('{% set n.a = n.a ~ n.a %}'), /too long a text/],
    ['text replaced by itself', doubling("{% set n.a = n.a.replace('a', n.a) %}"), /too long a text/],
    ['the filter that replaces', doubling("{% set n.a = n.a | replace('', n.a) %}"), /too long a text/],
    ['lists that double', doubling('{% set n.l = n.l + n.l %}'), /too long a text or list/],
    [
      'lists in lists',
      doubling('{% set n.l = [n.l, n.l] %}') + '{{ n.l }}',
      /too long a text or list|too deeply/,
    ],
    [
      'objects in objects',
      doubling("{% set n.l = {'a': n.l, 'b': n.l} %}") + '{{ n.l | tojson }}',
      /too long|too deeply/,
    ],
    [
      'a namespace in itself',
      '{% set n = namespace() %}{% set n.a = [n, n] %}{{ n | tojson }}',
      /too deeply|too often|too long/,
    ],
    ['a wide indentation', "{{ 'a\nb' | indent(400000000) }}", /too long a text/],
    ['a list indented widely', '{{ [1, 2, 3] | tojson(indent=100000000) }}', /too long a text/],
    [
      'long separators',
      "{% set s = 'a' | indent(1) %}{{ range(2000) | join('" + 'x'.repeat(5000) + "') }}",
      /too long a text/,
    ],
    [
      'texts looked for in texts',
      doubling(
        "{% if n.a | length < 400000 %}{% set n.a = n.a + n.a %}{% endif %}{% set x = ('b' + n.a[:200000]) in n.a %}",
        5000,
      ),
      /loops too often/,
    ],
    [
      'slices of long texts',
      doubling(
        '{% if n.a | length < 400000 %}{% set n.a = n.a + n.a %}{% endif %}{% set x = n.a[0:1] %}',
        5000,
      ),
      /loops too often/,
    ],
    ['the clock', loop("{% set x = strftime_now('%B') %}"), /loops too often/],
    [
      'macros made in loops',
      loop(`{% macro m() %}${'{{ a }}'.repeat(5000)}{% endmacro %}`),
      /loops too often/,
    ],
    [
      'names that are not there',
      loop(loop('{% if nothing is defined %}{% endif %}', 100)),
      /loops too often/,
    ],
    ['sorted lists', `{% set l = range(9000) %}${loop('{% set x = l | sort %}', 9000)}`, /loops too often/],
  ])('%s', (_, template, reason) => {
    for (const all of [false, true])
      try {
        new ChatTemplate(template).pieces(messages, all);
        expect.unreachable();
      } catch (error) {
        expect(templateReason(error)).toMatch(reason);
        if (!/whole numbers/.test(String(reason)))
          expect(templateCure(error)).toBe('Repair chat_template in tokenizer_config.json, or remove it.');
      }
  });

  it.each<[string, string, RegExp]>([
    ['brackets in brackets', `{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`, /nested too deeply/],
    ['conditions in conditions', '{% if 1 %}'.repeat(9000) + '{% endif %}'.repeat(9000), /nested too deeply/],
    ['long sums', `{{ ${'1 + '.repeat(45_000)}1 }}`, /nested too deeply/],
    ['white space', `{{ 1 }}${' '.repeat(150_000)}{% generation`, /spaces in a row/],
    ['itself', 'a'.repeat(200_001), /200001 characters/],
  ])('%s that is too long', (_, template, reason) => {
    let error: unknown;
    try {
      rendered(template);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TemplateLimit);
    expect(templateReason(error)).toMatch(reason);
  });

  it('a little for each of many chats, too', () => {
    const chat = new ChatTemplate(loop('{% set a = i %}', 30_000));
    let stopped = 0;
    // What a chat is good for is no loop of so many.
    for (let i = 0; i < 200; i++)
      try {
        chat.render(messages, false);
      } catch {
        stopped++;
      }
    expect(stopped).toBeGreaterThan(150);
  });
});

describe('is as it was', () => {
  it.each([
    [
      '{{ range(3) | list }} {{ range(1, 9, 3) | join(",") }} {{ range(3, 0, -1) | join }}',
      '[0, 1, 2] 1,4,7 321',
    ],
    ["{{ 'a-b'.replace('-', '+').upper() }} {{ 'a b' | replace(' ', '') }}", 'A+B ab'],
    ['{% macro m(x, y=2) %}{{ x + y }}{% endmacro %}{{ m(1) }}{{ m(1, y=4) }}', '35'],
    ["{{ 'x'.split(',') | length }}{{ 'ab'[::-1] }}{{ true and True }}{{ none is none }}", '1batruetrue'],
  ])('%s', (template, text) => {
    expect(rendered(template)).toBe(text);
  });

  it('for a long chat by every well-known template', () => {
    const long = Array.from({ length: 300 }, (_, i) => ({
      role: i % 2 === 0 ? 'user' : 'assistant',
      content: `${i} `.repeat(100).trim(),
    }));
    const kinds = JSON.parse(readFileSync('e2e/golden/tokenizers/chats.json', 'utf8')) as {
      template: string;
    }[];
    for (const { template } of kinds) {
      const chat = new ChatTemplate(template, { bos_token: '<s>', eos_token: '</s>' });
      expect(chat.pieces(long).filter(({ counted }) => counted)).toHaveLength(150);
    }
  });
});
