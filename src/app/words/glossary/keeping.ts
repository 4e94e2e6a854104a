/** @file Words of what can be done with a run as it goes, and of what is kept in the browser. */
import type { Entry } from './entry.ts';

export const keeping = {
  'rate-change': {
    term: 'Factor on the learning rate',
    says: [
      'The learning rate of the schedule is multiplied by this from the next step on.',
      'Below 1 it learns more calmly, above 1 faster; × 1 gives the schedule back.',
    ],
    see: ['learning-rate'],
  },
  'earlier-step': {
    term: 'Go back to',
    says: [
      'Saved states of this run, from before where it stands now.',
      'A new run goes on from the one that you choose, and this one stays as it is.',
    ],
    see: ['checkpoint'],
  },
  'other-run': {
    term: 'Compare with',
    says: [
      'The loss of another saved run, dashed in the same picture.',
      'Losses compare only where model and data are the same.',
    ],
    see: ['loss'],
  },
  film: {
    term: 'As a film',
    says: [
      'All samples at one step, and a slider from the first step to the last.',
      'Watching it shows what is learned first, and when nothing changes any more.',
    ],
    see: ['sample'],
  },
  'stored-runs': {
    term: 'Stored runs',
    says: [
      'What your runs learned, saved so that they can be opened, gone on with and gone back in.',
      'Freeing old checkpoints leaves the newest state of each run.',
    ],
    see: ['checkpoint'],
  },
  'stored-models': {
    term: 'Stored models',
    says: [
      'Models that were downloaded from an address that you typed.',
      'They can be removed, and are downloaded again where a run needs them.',
    ],
    see: ['model'],
  },
  'stored-data': {
    term: 'Data made ready',
    says: [
      'Your data as models see them, which takes a while to compute.',
      'Removing them costs only that time again.',
    ],
    see: ['held-out'],
  },
  'stored-files': {
    term: 'Stored files',
    says: [
      'Copies of the files that you started runs with.',
      'So a run can go on after the page was closed; they go when the run is deleted.',
    ],
    see: ['held-out'],
  },
  'stored-app': {
    term: 'Rotune itself',
    says: [
      'The page and what it computes with, kept so that it works without a network.',
      'The browser removes it with the data of this site.',
    ],
    see: ['device'],
  },
} as const satisfies Record<string, Entry>;
