/** @file Words of what the model shows of itself: samples, and how they are drawn or written. */
import type { Entry } from './entry.ts';

export const samples = {
  sample: {
    term: 'Samples',
    says: [
      'What the model makes of a few fixed prompts, before training, while it learns, and at the end.',
      'Prompt and chance stay the same, so that whatever changes is what was learned.',
    ],
    see: ['prompt', 'seed'],
  },
  'sample-every': {
    term: 'Samples every',
    says: [
      'After so many steps the samples are made anew.',
      'More often shows more of the way, and takes time from training: at most a quarter of it, but for the first few rows.',
    ],
    see: ['sample', 'step'],
  },
  prompt: {
    term: 'Prompt',
    says: [
      'The words that the model is asked with.',
      'It knows only words that it has learned; the page says which ones it does not know.',
    ],
    see: ['caption', 'token'],
  },
  silence: {
    term: 'Silence that ends a conversation',
    says: [
      'After so many hours without a message, the next one begins a conversation of its own.',
      'What is said the next morning then counts as no answer to what was said in the evening.',
    ],
    see: ['prompt'],
  },
  placeholder: {
    term: 'Placeholders for names and numbers',
    says: [
      'Words such as [name 1] or [phone 2], which stand for the same name or number wherever it is said.',
      'A model can say by heart what it was taught, and others have not agreed to that.',
    ],
  },
  token: {
    term: 'Token',
    says: [
      'A word or a piece of one, as the model reads and writes it.',
      'A model reads only so many at once, and what it has no token for it cannot tell apart.',
    ],
    see: ['prompt'],
  },
  strength: {
    term: 'Strength',
    says: [
      'How much of what was learned is used: 0 is the untouched model, 1 the tuned one.',
      'Beyond 1 it is exaggerated, below it only hinted at.',
    ],
    picture: 'strength',
    see: ['adapter', 'turned'],
  },
  'sampling-steps': {
    term: 'Steps a sample',
    says: [
      'A picture is drawn out of noise in so many rounds.',
      'More take longer, and beyond some number change little.',
    ],
    see: ['sampler', 'sample'],
    advanced: true,
  },
  sampler: {
    term: 'Sampler',
    says: [
      'The recipe by which noise becomes a picture, round by round.',
      'They end on similar pictures; some need fewer rounds.',
    ],
    see: ['sampling-steps'],
    advanced: true,
  },
  guidance: {
    term: 'Guidance',
    says: [
      'How strictly a picture follows its words: it is drawn with and without them, and the difference is exaggerated so many times.',
      '1 is off and twice as fast; very high values make colours garish.',
    ],
    picture: 'guidance',
    see: ['prompt', 'negative'],
    advanced: true,
  },
  negative: {
    term: 'Not this',
    says: [
      'Words for what the picture should keep away from, also called the negative prompt.',
      'It works by way of guidance, and does nothing where that is off.',
    ],
    see: ['guidance'],
    advanced: true,
  },
  'sample-seed': {
    term: 'Seed of the samples',
    says: [
      'The number from which the chance in the samples is drawn, apart from that of the training.',
      'Another one shows other pictures or texts of the same model.',
    ],
    see: ['seed', 'sample'],
  },
  temperature: {
    term: 'Temperature',
    says: [
      'How freely the model chooses among likely tokens when it writes.',
      '0 always takes the likeliest; above 1 it becomes wild.',
    ],
    see: ['token', 'top-p'],
    advanced: true,
  },
  'top-p': {
    term: 'Top p',
    says: [
      'Only the likeliest tokens that together have this share are chosen from.',
      'Below 1, the odd ones at the end of the list are never taken.',
    ],
    see: ['token', 'temperature'],
    advanced: true,
  },
  'offset-noise': {
    term: 'Offset noise',
    says: [
      'Noise that lightens or darkens a whole picture is mixed in while training.',
      'The model then learns very dark and very bright pictures, too.',
    ],
    advanced: true,
  },
  latents: {
    term: 'Latents',
    says: [
      'The small inner pictures on which many drawing models work, which an encoder makes of yours.',
      'The encoder gives a range for each: take its middle, or draw anew at each step.',
    ],
    advanced: true,
  },
  'loss-kind': {
    term: 'Kind of loss',
    says: [
      'The formula by which being wrong is counted.',
      'Which one fits hangs on the target: a name, a number, or a picture.',
    ],
    see: ['loss'],
    advanced: true,
  },
} as const satisfies Record<string, Entry>;
