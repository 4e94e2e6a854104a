/** @file The import layers as one list, and the ESLint rule that enforces them. */
import { relative, sep } from 'node:path';
import { circlesRule } from './circles.mjs';
import { target, TESTS } from './imports.mjs';

/** A folder of src/ imports only from folders before it in this list. */
export const LAYERS = [
  'platform',
  'onnx',
  'graph',
  'ops',
  'autodiff',
  'oft',
  'optim',
  'tasks',
  'program',
  'runtime',
  'training',
  'store',
  'formats',
  'app',
  'ui',
];

/** Packages that only one place may import: [package name or scope, folders that may]. */
const OWNED_PACKAGES = [
  ['onnxruntime-web', ['src/runtime']],
  ['onnx-buf', ['src/onnx']],
  ['@bufbuild/', ['src/onnx']],
  ['@huggingface/tokenizers', ['src/tasks']],
  ['idb-keyval', ['src/store']],
  ['comlink', ['src/app', 'workers']],
  ['@zip.js/zip.js', ['src/platform/zip.ts']],
  ['svelte', ['src/app', 'src/ui', 'src/main.ts']],
  ['uplot', ['src/ui']],
];

/** Pairs that meet only in the worker, whatever their order. */
const STRANGERS = [['store', 'training']];

/** What a component must never touch: it sees pictures, numbers and words, not tensors. */
const HIDDEN_FROM_COMPONENTS = LAYERS.slice(0, LAYERS.indexOf('store'));

/** Files that hold nothing but the agreed types of a layer; a type-only import of them is free for all. */
const CONTRACT = /(^|\/)(types|jobTypes|protocol)\.ts$/;

/** @param {string} path */
function layerOf(path) {
  const [top, folder] = path.split('/');
  return top === 'src' && folder !== undefined && LAYERS.includes(folder) ? folder : null;
}

/**
 * Why `file` may not import `source`, or null if it may.
 * @param {string} file importing file, relative to the repository's root, with forward slashes
 * @param {string} source import specifier
 * @param {boolean} typeOnly the import leaves no trace at run time
 * @returns {string | null}
 */
export function forbidden(file, source, typeOnly) {
  if (TESTS.test(file) || !/^(src|workers)\//.test(file)) return null;
  const to = target(file, source);
  if (to === null) {
    const owned = OWNED_PACKAGES.find(
      ([name]) =>
        source === name || source.startsWith(String(name).endsWith('/') ? String(name) : `${String(name)}/`),
    );
    if (!owned || owned[1] === undefined) return null;
    const homes = /** @type {string[]} */ (owned[1]);
    if (homes.some((home) => file === home || file.startsWith(`${home}/`))) return null;
    return `only ${homes.join(' and ')} may import ${String(owned[0])}`;
  }
  if (TESTS.test(to)) return `${to} is for tests`;
  if (typeOnly && CONTRACT.test(to)) return null;
  const toLayer = layerOf(to);
  if (file.startsWith('workers/')) {
    return toLayer === 'app' || toLayer === 'ui' ? `a worker may not import the page's ${toLayer}` : null;
  }
  const fromLayer = layerOf(file);
  if (to.startsWith('workers/')) {
    // The address of a script, not its code.
    if (/\.worker\.ts\?worker&url$/.test(to)) return null;
    return `${file} may know of the workers only the types in workers/protocol.ts`;
  }
  if (fromLayer === null || toLayer === null || fromLayer === toLayer) return null;
  if (file.endsWith('.svelte') && HIDDEN_FROM_COMPONENTS.includes(toLayer)) {
    return `a component may not import ${toLayer}: ask app for what it shows`;
  }
  if (STRANGERS.some((pair) => pair.includes(fromLayer) && pair.includes(toLayer))) {
    return `${fromLayer} and ${toLayer} meet only in the worker`;
  }
  if (LAYERS.indexOf(toLayer) < LAYERS.indexOf(fromLayer)) return null;
  return `${fromLayer} may not import ${toLayer}, which comes after it (${LAYERS.join(' ← ')})`;
}

/** Whether a declaration imports or exports types alone. @param {any} node */
function isTypeOnly(node) {
  if (node.importKind === 'type' || node.exportKind === 'type') return true;
  const specifiers = node.specifiers ?? [];
  return (
    specifiers.length > 0 &&
    specifiers.every(
      (/** @type {any} */ specifier) => specifier.importKind === 'type' || specifier.exportKind === 'type',
    )
  );
}

/** ESLint plugin with the rules `rotune/layers` and `rotune/circles`. */
export const layersPlugin = {
  meta: { name: 'rotune' },
  rules: {
    circles: circlesRule,
    layers: {
      meta: {
        type: /** @type {const} */ ('problem'),
        docs: { description: 'imports go up the list of layers only' },
        schema: [],
        messages: { forbidden: '{{reason}}' },
      },
      /** @param {import('eslint').Rule.RuleContext} context */
      create(context) {
        const file = relative(context.cwd, context.filename).split(sep).join('/');
        /** @param {any} node @param {any} source @param {boolean} typeOnly */
        const check = (node, source, typeOnly) => {
          if (source?.type !== 'Literal' || typeof source.value !== 'string') return;
          const reason = forbidden(file, source.value, typeOnly);
          if (reason !== null) context.report({ node, messageId: 'forbidden', data: { reason } });
        };
        /** @param {any} node */
        const declaration = (node) => {
          check(node, node.source, isTypeOnly(node));
        };
        return {
          ImportDeclaration: declaration,
          ExportNamedDeclaration: declaration,
          ExportAllDeclaration: declaration,
          /** @param {any} node */
          ImportExpression(node) {
            check(node, node.source, false);
          },
        };
      },
    },
  },
};
