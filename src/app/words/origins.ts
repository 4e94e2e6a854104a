/** @file Which Rotune this is, where the built-in models and data come from, and under which licences they are. NOTICE says the latter in full. */
export { versions } from '#src/platform/version.ts';

export interface Origin {
  readonly what: string;
  /** Folders of public/, with what each is. */
  readonly folders: readonly string[];
  readonly from: string;
  readonly licence: string;
}

const OURS = 'Apache License 2.0';

export const origins: readonly Origin[] = [
  {
    what: 'The model that draws icons',
    folders: ['models/emoji'],
    from: 'Trained for Rotune on Noto Emoji (© Google LLC, Apache License 2.0) and on the flat Fluent Emoji (© Microsoft Corporation, MIT License).',
    licence: OURS,
  },
  {
    what: 'Its styles: black and white, two-ink prints, blueprints',
    folders: ['data/high-contrast', 'data/riso', 'data/blueprint'],
    from: 'Fluent Emoji (© Microsoft Corporation), scaled down; two of them in other colours.',
    licence: 'MIT License',
  },
  {
    what: 'The models that name shapes, repaint, sort letters, tell stories, and know waves',
    folders: ['models/shapes', 'models/repaint', 'models/topics', 'models/stories', 'models/waves'],
    from: 'Trained for Rotune on pictures, texts and numbers that scripts of its own drew, wrote and counted.',
    licence: OURS,
  },
  {
    what: 'The data of their examples',
    folders: [
      ...['data/new-shapes', 'data/signs', 'data/sepia', 'data/moonlight', 'data/letters', 'data/questions'],
      ...['data/pirate-stories', 'data/echoes', 'data/turned-waves', 'data/waves-aside'],
    ],
    from: 'Drawn, written and counted by the same scripts.',
    licence: OURS,
  },
];
