/** @file The recipes of CONTRIBUTING.md as files: their code blocks are the example, so that text and test are one. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * @typedef {object} Recipe
 * @property {string} title "A new operator"
 * @property {readonly { path: string, text: string }[]} files new ones
 * @property {readonly { path: string, before: string, after: string, added: number }[]} edits of files that are there
 */

/** @param {readonly string[]} lines @param {string} left out */
const without = (lines, left) =>
  lines
    .filter((line) => !line.startsWith(left))
    .map((line) => line.slice(1))
    .join('\n');

/**
 * Sections of the third level that have code blocks with a path behind the language; `diff` blocks are edits.
 * @param {string} markdown @returns {Recipe[]}
 */
export function recipesOf(markdown) {
  return markdown
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const blocks = [...section.matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```$/gm)].map(
        ([, language = '', path = '', text = '']) => ({ language, path, text }),
      );
      return {
        title: (section.split('\n')[0] ?? '').trim(),
        files: blocks.filter(({ language }) => language !== 'diff').map(({ path, text }) => ({ path, text })),
        edits: blocks
          .filter(({ language }) => language === 'diff')
          .map(({ path, text }) => {
            const lines = text.trimEnd().split('\n');
            const added = lines.filter((line) => line.startsWith('+')).length;
            return { path, before: without(lines, '+'), after: without(lines, '-'), added };
          }),
      };
    })
    .filter(({ files }) => files.length > 0);
}

/**
 * Does what a recipe says. Throws where what it would edit is not there as it says.
 * @param {Recipe} recipe @param {string} root
 */
export function follow({ title, files, edits }, root) {
  for (const { path, text } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { flag: 'wx' });
  }
  for (const { path, before, after } of edits) {
    const text = readFileSync(join(root, path), 'utf8');
    const parts = text.split(`${before}\n`);
    if (parts.length !== 2)
      throw new Error(`${title}: ${path} has ${parts.length - 1} places like this, not one:\n${before}`);
    writeFileSync(join(root, path), parts.join(`${after}\n`));
  }
}
