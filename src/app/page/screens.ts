/** @file The page's screens, each with a folder in src/ui. Its name stands in the address, too: `#/new/language`; home's is empty. */
export const SCREENS = ['home', 'model', 'new', 'run', 'result', 'words', 'about'] as const;

export type Screen = (typeof SCREENS)[number];
