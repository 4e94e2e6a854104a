/** @file What the page calls its parts: the one list for all browsers. */
export const names = {
  demoButton: /^Teach it this style/,
  fromWeb: 'Open a model from the web',
  trainShared: 'Train this',
  pause: 'Pause',
  stopAndKeep: 'Stop and keep',
  continueRun: /^Continue from step/,
  saveAdapter: /^Save (?:adapter|model)$/,
  copyLink: /^(Copy link|Copied)$/,
  resultHeading:
    /Held-out loss (?:fell|went|is)|Accuracy is \d|It has (?:not learned|hardly)|Stopped at step \d+ of|Trained \d+ step/,
  sharedHeading: 'Someone shared a job with you',
} as const;
