/** @file The page's screens, each with a folder in src/ui. */
export const SCREENS = ['home', 'inspect', 'prepare', 'train', 'result'] as const;

export type Screen = (typeof SCREENS)[number];
