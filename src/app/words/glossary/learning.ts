/** @file Words of how a model learns. */
import type { Entry } from './entry.ts';

export const learning = {
  model: {
    term: 'Model',
    says: [
      'A file of numbers that turns what it is given into pictures, texts or names.',
      'Rotune takes a model that has learned much already, and teaches it a little more.',
    ],
    see: ['layer', 'adapter'],
  },
  layer: {
    term: 'Layer',
    says: [
      'One of the stages that a model is made of, with a table of numbers of its own.',
      'Training turns these tables; how many of them can turn hangs on the model.',
    ],
    see: ['turned', 'layers-turned'],
  },
  adapter: {
    term: 'Adapter',
    says: [
      'A small file with what training changed, kept apart from the model.',
      'Other programs lay it over the same model, at any strength.',
    ],
    see: ['strength', 'model'],
  },
  loss: {
    term: 'Loss',
    says: [
      'How wrong the model is on what it was just shown: lower is better.',
      'It jumps from step to step, so look at where it goes over many steps, not at single values.',
    ],
    picture: 'loss',
    see: ['smoothed', 'held-out'],
  },
  smoothed: {
    term: 'Smoothed loss',
    says: [
      'The mean of the last steps’ losses, the newest counting most.',
      'It shows the way that the single values hide in their jumps.',
    ],
    see: ['loss'],
  },
  step: {
    term: 'Step',
    says: [
      'The model is shown a few examples, and then changed a little so that it does better on them.',
      'A run is some hundreds of steps; more of them learn more, take longer, and at some point only learn by heart.',
    ],
    see: ['batch', 'epoch', 'held-out'],
  },
  epoch: {
    term: 'Epoch',
    says: [
      'Once through all examples, in steps of a few at a time.',
      'With 60 examples and 4 at a time, an epoch is 15 steps.',
    ],
    see: ['step', 'batch'],
  },
  batch: {
    term: 'Examples at a time',
    says: [
      'How many examples the model looks at together in one step, also called the batch.',
      'More of them make steps steadier, slower, and larger in memory.',
    ],
    see: ['step', 'memory', 'accumulate'],
  },
  'learning-rate': {
    term: 'Learning rate',
    says: [
      'How far one step changes the model.',
      'Too small, and it learns nothing in the time; too large, and it forgets what it knew, and the loss climbs.',
    ],
    see: ['schedule', 'warm-up', 'loss'],
  },
  schedule: {
    term: 'Schedule',
    says: [
      'How the learning rate goes on during the run: it stays, or falls towards the end in a line or a curve.',
      'A falling rate ends on a calmer result.',
    ],
    picture: 'schedule',
    see: ['learning-rate', 'warm-up', 'final-rate'],
  },
  'warm-up': {
    term: 'Warm-up steps',
    says: [
      'So many first steps in which the learning rate grows from nothing.',
      'It keeps the first steps, which know least, from going astray.',
    ],
    picture: 'schedule',
    see: ['schedule', 'learning-rate'],
  },
  seed: {
    term: 'Seed',
    says: [
      'The number from which all chance follows: the order of the data, what is held out, the noise that a picture is drawn from.',
      'The same seed gives the same again; another one gives another that is as good.',
    ],
  },
  thoroughness: {
    term: 'Thoroughness',
    says: [
      'Light trains few numbers in few steps, thorough many in many.',
      'Begin with light, and take more where the result is not yet what you want.',
    ],
    see: ['step', 'numbers-trained', 'memory'],
  },
  place: {
    term: 'Place of use',
    says: [
      'The program that will open the result.',
      'Not each of them can open all that can be trained, so that it is asked before.',
    ],
    see: ['adapter'],
  },
  memory: {
    term: 'Memory',
    says: [
      'What the model, what is trained of it, and a step’s own results take together.',
      'Where there is not enough, take fewer examples at a time, or turn on “Save memory”.',
    ],
    see: ['batch', 'save-memory', 'weight-bits'],
  },
  'save-memory': {
    term: 'Save memory',
    says: [
      'Parts of the model are computed a second time instead of being kept in memory.',
      'A step then takes up to twice as long in about a third of the memory.',
    ],
    see: ['memory', 'weight-bits'],
    advanced: true,
  },
  'weight-bits': {
    term: 'Weights in memory',
    says: [
      'The model’s own numbers can be held rounded to 8 or 4 bits while it learns: it then takes about a quarter or a sixth of the memory, and a step a little longer.',
      'What you save is made of the numbers as they were.',
    ],
    see: ['memory', 'save-memory'],
    advanced: true,
  },
  device: {
    term: 'Runs on',
    says: [
      'The part of this device that computes: its graphics card (GPU) or its processor (CPU).',
      'A GPU is often ten times as fast, where the browser lets pages use it.',
    ],
  },
  checkpoint: {
    term: 'Saved state',
    says: [
      'All that is needed to go on from a step, kept in this browser.',
      'After a crash or a closed tab the run goes on from there.',
    ],
    see: ['save-every'],
  },
  'updates-left-out': {
    term: 'Updates left out',
    says: [
      'Steps whose numbers grew beyond all bounds, so that the model was not changed by them.',
      'A few do no harm; many mean that the learning rate is too large.',
    ],
    see: ['learning-rate'],
  },
  accumulate: {
    term: 'Times a step',
    says: [
      'A step gathers so many groups of examples before it changes the model.',
      'It learns as if from so many times as many examples at a time, without their memory.',
    ],
    see: ['batch', 'memory'],
    advanced: true,
  },
  'final-rate': {
    term: 'Rate at the end',
    says: [
      'The share of the learning rate that is left at the last step of a falling schedule.',
      '0 ends at a standstill; 0.1 keeps learning a little to the end.',
    ],
    picture: 'schedule',
    see: ['schedule'],
    advanced: true,
  },
  clip: {
    term: 'Clip gradients at',
    says: [
      'The longest that a step’s gradient, the direction in which the loss falls, may be; longer ones are shortened to it.',
      'It keeps a single odd example from throwing the model off its way.',
    ],
    see: ['learning-rate'],
    advanced: true,
  },
  'weight-decay': {
    term: 'Weight decay',
    says: [
      'A pull that draws all trained numbers back towards nothing at each step.',
      'Rotations then stay small where the data give no reason for them.',
    ],
    see: ['turned', 'constraint'],
    advanced: true,
  },
  'min-snr': {
    term: 'Min-SNR gamma',
    says: [
      'Caps how much the easiest of the noisy pictures, with little noise in them, count in the loss.',
      'Drawing is then often learned in fewer steps; 5 is usual.',
    ],
    see: ['loss'],
    advanced: true,
  },
  'save-every': {
    term: 'Save every',
    says: [
      'After at most so many steps the run’s state is kept in this browser.',
      'A crash loses no more than these steps.',
    ],
    see: ['checkpoint'],
    advanced: true,
  },
  'rate-by-block': {
    term: 'Rate by block size',
    says: [
      'The larger a block, the smaller its share of the learning rate.',
      'One learning rate then turns small blocks and large ones by about as much.',
    ],
    see: ['learning-rate', 'block'],
    advanced: true,
  },
} as const satisfies Record<string, Entry>;
