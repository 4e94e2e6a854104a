/** @file Circles of imports, types included: the ESLint rule that forbids them. Files that need one another are one thought, or hide a third. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { target, TESTS } from './imports.mjs';

const SOURCE = /\.(ts|svelte)$/;
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*(['"])([^'"\n]+)\1/g;

/**
 * What a text imports of our own, as paths from the root.
 * @param {string} file
 * @param {string} text
 * @returns {string[]}
 */
export function importsOf(file, text) {
  return [...text.matchAll(IMPORT)].flatMap(
    ([, , specifier = '']) => target(file, specifier.replace(/\?.*/, '')) ?? [],
  );
}

/**
 * Every file of src and workers with what it imports.
 * @param {string} root
 * @returns {Map<string, string[]>}
 */
export function importGraph(root) {
  const files = ['src', 'workers']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
        [folder, ...name.split(sep)].join('/'),
      ),
    )
    .filter((file) => SOURCE.test(file) && !TESTS.test(file));
  return new Map(files.map((file) => [file, importsOf(file, readFileSync(join(root, file), 'utf8'))]));
}

/**
 * The shortest way from a file's imports back to it; null: there is none.
 * @param {string} file
 * @param {readonly string[]} imports the file's own, as it stands now
 * @param {ReadonlyMap<string, readonly string[]>} graph
 * @returns {string[] | null}
 */
export function circle(file, imports, graph) {
  /** @type {string[][]} */
  let ways = imports.map((first) => [first]);
  const seen = new Set(imports);
  while (ways.length > 0) {
    /** @type {string[][]} */
    const longer = [];
    for (const way of ways) {
      const end = way.at(-1) ?? '';
      if (end === file) return [file, ...way];
      for (const next of graph.get(end) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        longer.push([...way, next]);
      }
    }
    ways = longer;
  }
  return null;
}

/** @type {Map<string, string[]> | undefined} */
let graph;

/** ESLint's rule `rotune/circles`. @type {import('eslint').Rule.RuleModule} */
export const circlesRule = {
  meta: {
    type: 'problem',
    docs: { description: 'no file imports itself by way of others, not even for types' },
    schema: [],
    messages: { circle: 'A circle: {{way}}. Move what both need into a file of its own.' },
  },
  create(context) {
    const file = relative(context.cwd, context.filename).split(sep).join('/');
    if (!/^(src|workers)\//.test(file) || TESTS.test(file)) return {};
    return {
      Program(node) {
        graph ??= importGraph(context.cwd);
        const way = circle(file, importsOf(file, context.sourceCode.text), graph);
        if (way !== null) context.report({ node, messageId: 'circle', data: { way: way.join(' → ') } });
      },
    };
  },
};
