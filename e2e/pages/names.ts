/** @file What the page calls its parts: the one list for all browsers. */
export const names = {
  demoButton: /^Teach it this style/,
  fromWeb: 'Open a model from the web',
  trainShared: 'Train this',
  pause: 'Pause',
  stopAndKeep: 'Stop and keep',
  continueRun: /^Continue from step/,
  saveAdapter: 'Save adapter',
  copyLink: /^(Copy link|Copied)$/,
  resultHeading: 'It learned the style',
  sharedHeading: 'Someone shared a job with you',
} as const;
