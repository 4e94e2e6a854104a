/** @file Words of how data are made ready for a model: tasks' own settings. */
import type { Entry } from './entry.ts';

export const preparing = {
  task: {
    term: 'What to teach',
    says: [
      'The kind of thing that the model learns, which says what data it takes and how it is judged.',
      'It must fit the model: one that writes texts cannot learn to draw.',
    ],
    see: ['model', 'loss'],
    advanced: true,
  },
  'last-layer': {
    term: 'Last layer',
    says: [
      'The part that turns what the model has seen into a score for each name.',
      'For names that it does not know it needs a new one, which learns from nothing.',
    ],
    see: ['layer', 'accuracy'],
    advanced: true,
  },
  'class-weights': {
    term: 'Weight of the classes',
    says: [
      'Whether a rare name counts as much in the loss as a frequent one.',
      'Without it, a model does well by always saying the most frequent name.',
    ],
    see: ['loss', 'accuracy-by-class'],
    advanced: true,
  },
  'label-smoothing': {
    term: 'Label smoothing',
    says: [
      'So large a share of each answer is spread over all other names, so that the model is never told to be wholly sure.',
      'About 0.1 helps where some labels are wrong; 0 is off.',
    ],
    see: ['loss'],
    advanced: true,
  },
  'picture-size': {
    term: 'Size of pictures',
    says: [
      'The pixels to which pictures are scaled before the model sees them.',
      'Larger ones show more, and take more time and memory.',
    ],
    see: ['memory'],
    advanced: true,
  },
  'picture-fit': {
    term: 'Pictures of another shape',
    says: [
      'What is done with pictures that are wider or taller than the model takes.',
      'Cutting loses their edges, stretching their shape, and filling up some of their size.',
    ],
    see: ['picture-size'],
    advanced: true,
  },
  normalise: {
    term: 'Colours as numbers',
    says: [
      'The range of numbers by which colours are given to the model.',
      'It must be the one that the model was made with, or it sees everything too bright or too dark.',
    ],
    advanced: true,
  },
  axes: {
    term: 'Axes of the input',
    says: [
      'Whether the model wants pictures colour by colour, or pixel by pixel.',
      'Its file mostly says so.',
    ],
    advanced: true,
  },
  delta: {
    term: 'Huber’s delta',
    says: [
      'Errors up to this size count by their square, larger ones plainly.',
      'A small one makes single wild values matter less.',
    ],
    see: ['loss-kind'],
    advanced: true,
  },
  order: {
    term: 'Order of the data',
    says: [
      'Whether examples are taken as they lie in the files, or shuffled anew each time round.',
      'Shuffled is better for learning; as in the files repeats another program’s run exactly.',
    ],
    see: ['epoch', 'seed'],
    advanced: true,
  },
} as const satisfies Record<string, Entry>;
