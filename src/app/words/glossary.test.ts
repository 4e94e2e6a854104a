import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { taskInfos } from '#src/tasks/infos.ts';
import { isWord, wordOf, wordOfMetric, wordOfOption, words } from './glossary.ts';
import { graph } from './glossary/graph.ts';
import { judging } from './glossary/judging.ts';
import { keeping } from './glossary/keeping.ts';
import { layers } from './glossary/layers.ts';
import { learning } from './glossary/learning.ts';
import { preparing } from './glossary/preparing.ts';
import { samples } from './glossary/samples.ts';
import { turning } from './glossary/turning.ts';

/** Words of the field and of our own code, which mean nothing to whoever comes new. */
const INTERNAL =
  /W′|Cᵀ|Rᵀ|\bθ|near-square|factoris|Cayley|Neumann|butterfly|Gram matrix|micro-batch|orthogonal\b(?! fine-tuning)|COFT|BOFT|LyCORIS’s way|gradient|norm\b|AdamW|logits?\b|tensor\b/;

const parts = [graph, judging, keeping, layers, learning, preparing, samples, turning];

describe('the table', () => {
  it('has each id and each term once', () => {
    const ids = parts.flatMap((part) => Object.keys(part));
    expect(ids).toHaveLength(new Set(ids).size);
    expect(words).toHaveLength(ids.length);
    const terms = words.map(({ term }) => term.toLowerCase());
    expect(terms).toHaveLength(new Set(terms).size);
  });

  it.each(words.map((word) => [word.id, word] as const))('says “%s” in two sentences', (_, word) => {
    expect(word.says).toHaveLength(2);
    for (const sentence of word.says) {
      expect(sentence).toMatch(/^\S.*[.]$/);
      expect(sentence).not.toMatch(/[.!?] /);
      expect(sentence.length).toBeLessThan(170);
    }
    if (!word.advanced) expect(word.says.join(' ')).not.toMatch(INTERNAL);
  });

  it('leads only to words that there are, and never to the same one', () => {
    for (const entry of parts.flatMap((part) => Object.entries(part))) {
      const [id, { see = [] }] = entry as [string, { see?: readonly string[] }];
      for (const other of see) {
        expect(isWord(other), `${id} → ${other}`).toBe(true);
        expect(other).not.toBe(id);
      }
    }
  });
});

const files = readdirSync('src/ui', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.svelte'))
  .map((path) => `src/ui/${path.replaceAll('\\', '/')}`)
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
const used = files.flatMap(({ path, text }) =>
  [...text.matchAll(/\bword="([\w-]+)"/g), ...text.matchAll(/\bword: '([\w-]+)'/g)].map(([, id]) => ({
    path,
    id: id!,
  })),
);

describe('the page', () => {
  it('explains by words of the table alone', () => {
    expect(used.length).toBeGreaterThan(40);
    for (const { path, id } of used) expect(isWord(id), `${path}: ${id}`).toBe(true);
  });

  it('means one thing by a label: the same label has the same word everywhere', () => {
    const meant = new Map<string, string>();
    for (const { path, text } of files)
      for (const [tag] of text.matchAll(
        /<(?:JobNumber|NumberField|SelectField|CheckField|FieldLabel)\b[^]*?\/>/g,
      )) {
        const [label, word] = [/label="([^"{]+)"/, /word="([\w-]+)"/].map((part) => part.exec(tag)?.[1]);
        if (label === undefined || word === undefined) continue;
        expect(meant.get(label) ?? word, `${path}: ${label}`).toBe(word);
        meant.set(label, word);
      }
    expect(meant.size).toBeGreaterThan(20);
  });

  it('has a word, or a line of help, for every setting of a new job', () => {
    let seen = 0;
    for (const { path, text } of files.filter((file) => /\/(new|plan)\//.test(file.path)))
      for (const [tag] of text.matchAll(
        /<(?:JobNumber|NumberField|SelectField|CheckField|TextField)\s[^]*?\/>/g,
      )) {
        seen++;
        expect(/\bword[=}]|\bhint=|\{\.\.\.field\}/.test(tag), `${path}: ${tag}`).toBe(true);
      }
    expect(seen).toBeGreaterThan(35);
  });

  it('explains each option of each task', () => {
    for (const { id, fields } of taskInfos)
      for (const field of fields)
        expect(wordOfOption(field.key) ?? field.help, `${id}: ${field.label}`).toBeTruthy();
  });

  it('knows what each measure means', () => {
    for (const [name, id] of [
      ['accuracy', 'accuracy'],
      ['perplexity', 'perplexity'],
      ['PSNR', 'psnr'],
      ['a measure of tomorrow', 'score'],
    ] as const)
      expect(wordOfMetric(name)).toBe(id);
    expect(wordOf('loss').term).toBe('Loss');
  });

  it('says no internal words outside of “Advanced”', () => {
    const inside = /\/new\/|\/plan\/|\/debug\/|\/model\/|\/testing\//;
    for (const { path, text } of files.filter((file) => !inside.test(file.path))) {
      const shown = text
        .slice(0, text.indexOf('<style>'))
        .replace(/<script[^]*?<\/script>|<!--[^]*?-->/g, '');
      expect(shown.match(INTERNAL)?.[0], path).toBeUndefined();
    }
  });
});
