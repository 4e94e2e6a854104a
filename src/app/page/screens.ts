/** @file The page's screens, each with a folder in src/ui, and what stands for it in the address: `#/new/language`. */
export const SCREENS = {
  home: '',
  inspect: 'model',
  prepare: 'new',
  train: 'run',
  result: 'result',
  words: 'words',
  about: 'about',
} as const;

export type Screen = keyof typeof SCREENS;
