/** @file Words of how a result is judged, and of the data it is judged by. */
import type { Entry } from './entry.ts';

export const judging = {
  'held-out': {
    term: 'Held-out data',
    says: [
      'Examples that are set apart and never trained on.',
      'When the loss on them climbs while the other falls, the model learns by heart: stop there.',
    ],
    picture: 'held-out',
    see: ['loss'],
  },
  accuracy: {
    term: 'Accuracy',
    says: [
      'The share of held-out examples that the model names rightly.',
      'Compare it with guessing: of four names, a guess is right in 25 %.',
    ],
    see: ['held-out', 'accuracy-by-class', 'f1'],
  },
  'accuracy-by-class': {
    term: 'Accuracy by class',
    says: [
      'The accuracy of each name by itself, and the mean of these.',
      'A rare name counts as much as a frequent one.',
    ],
    see: ['accuracy'],
  },
  f1: {
    term: 'F1',
    says: [
      'For each name, how many of its examples were found and how many of the finds were right, in one number; then the mean over all names.',
      '100 % is perfect; what was missed and what was found wrongly both lower it.',
    ],
    see: ['accuracy'],
  },
  perplexity: {
    term: 'Perplexity',
    says: [
      'Among how many equally likely pieces of text the model is torn, on average, for what comes next.',
      'Lower is better, and 1 would be no doubt at all.',
    ],
    see: ['token', 'held-out', 'loss'],
  },
  psnr: {
    term: 'PSNR',
    says: [
      'How near the model’s pictures come to those they should be, in decibels.',
      'Higher is better; each 6 more halve the error.',
    ],
    see: ['held-out'],
  },
  saturation: {
    term: 'Colour of the samples',
    says: [
      'How colourful the samples are, as a share of what they were before training.',
      'When a style has its own colours it may move; falling towards 0 without reason means that the model forgets.',
    ],
    see: ['sample'],
  },
  score: {
    term: 'Measure',
    says: [
      'A number by which held-out data judge the model, beside the loss.',
      'It is counted before training and at each stop, so that the two can be compared.',
    ],
    see: ['held-out', 'loss'],
  },
  'log-scale': {
    term: 'Log scale',
    says: [
      'Equal factors are drawn equally high, so that falling from 1 to 0.1 looks like falling from 0.1 to 0.01.',
      'It shows what still moves where a plain scale is flat.',
    ],
    see: ['loss'],
  },
  mirror: {
    term: 'Mirror half of the pictures',
    says: [
      'Each time a picture is shown, it is mirrored by the toss of a coin.',
      'Few pictures then teach as twice as many, unless left and right matter in them.',
    ],
    advanced: true,
  },
  'captions-left-out': {
    term: 'Captions left out',
    says: [
      'In so many of a hundred cases a picture is shown without its words.',
      'The model then keeps drawing without words, too, which guidance needs.',
    ],
    see: ['caption', 'guidance'],
    advanced: true,
  },
  caption: {
    term: 'Caption',
    says: [
      'The words that belong to a picture you train on.',
      'What they name can be asked for afterwards, in the same words.',
    ],
    see: ['prompt', 'token'],
  },
} as const satisfies Record<string, Entry>;
