/** @file Lint rules: strict and type-aware for everything typed, the import layers, and Svelte's own. */
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { layersPlugin } from './scripts/layers.mjs';

const REALMS = ['./tsconfig.page.json', './tsconfig.worker.json', './tsconfig.node.json'];

/** What browsers give to secure contexts only. */
const SECURE_ONLY = [
  ...['subtle', 'randomUUID'].map((property) => ({ object: 'crypto', property })),
  ...['clipboard', 'locks', 'serviceWorker', 'share', 'storage', 'wakeLock'].map((property) => ({
    object: 'navigator',
    property,
  })),
].map((each) => ({
  ...each,
  message: 'Not every page has it: call its edge (src/platform, src/app, src/store).',
}));

/** The edges: they ask whether it is there. */
const SECURE_EDGES = [
  'src/platform/**',
  'src/app/page/clipboard.ts',
  'src/app/page/notice.svelte.ts',
  'src/app/worker/client.ts',
  'src/app/page/offline.svelte.ts',
  'src/app/page/tab.ts',
  'src/store/downloads.ts',
  'src/store/persistence.ts',
  'workers/service-worker.ts',
];

export default defineConfig(
  globalIgnores([
    '.cache/',
    '.svelte-check/',
    'dist/',
    'coverage/',
    'test-results/',
    'playwright-report/',
    'runs/',
    'public/',
    '**/.venv/',
  ]),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  svelte.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      parserOptions: {
        project: REALMS,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
    plugins: { rotune: layersPlugin },
    rules: {
      'rotune/layers': 'error',
      'rotune/circles': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Index arithmetic proves bounds that the type system cannot see; `!` says so in one character.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Splitting einsum equations and ASCII names by character is what is meant.
      '@typescript-eslint/no-misused-spread': 'off',
      // An async method of an interface need not await anything.
      '@typescript-eslint/require-await': 'off',
      // Rule tables are namespaces of functions imported as a whole.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Pages over plain http lack these, private windows some of them: each has one edge, with what is done without it.
    files: ['src/**/*.{ts,svelte}', 'workers/**/*.ts'],
    ignores: ['**/*.test.ts', '**/testing/**', ...SECURE_EDGES],
    rules: {
      'no-restricted-properties': ['error', ...SECURE_ONLY],
      'no-restricted-globals': ['error', 'caches'],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { parser: tseslint.parser },
    },
    rules: {
      // A URL or Set that lives for one call is no state.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  {
    // Here a component's type is `any` to ESLint alone: svelte-check knows it, and checks it.
    files: ['**/*.svelte', 'src/ui/main.ts', '**/*.svelte.test.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // The compiler checks these through JSDoc; `any` there comes from untyped packages and JSON.
    files: ['**/*.{js,mjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: globals.node },
  },
);
