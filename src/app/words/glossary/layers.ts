/** @file Words for a layer and what rules and tables tell layers apart by. */
import type { Entry } from './entry.ts';

export const layers = {
  'layer-name': {
    term: 'Name of a layer',
    says: [
      'What the model’s file calls the layer, from the outermost part to the innermost.',
      'In a rule a star stands for any letters, so that *attn2* means every layer with attn2 in its name.',
    ],
    see: ['layer'],
    advanced: true,
  },
  'name-pattern': {
    term: 'Name by regular expression',
    says: [
      'The same as the name, in the pattern language of programmers.',
      'It finds what a star cannot, such as to_q and to_k but not to_v: to_[qk]$.',
    ],
    see: ['layer-name'],
    advanced: true,
  },
  'layer-kind': {
    term: 'Kind of layer',
    says: [
      'Linear layers take all of their inputs at once, convolutions a small window of a picture after another.',
      'Both can turn; a rule may mean one kind alone.',
    ],
    see: ['layer'],
    advanced: true,
  },
  'layer-inputs': {
    term: 'Inputs of a layer',
    says: [
      'How many numbers the layer takes at a time.',
      'A rule may ask for a count or a bound: 320, >=320, <64.',
    ],
    see: ['layer'],
    advanced: true,
  },
  'layer-outputs': {
    term: 'Outputs of a layer',
    says: [
      'How many numbers the layer gives at a time, which the blocks divide among them.',
      'A rule may ask for a count or a bound: 320, >=320, <64.',
    ],
    see: ['block'],
    advanced: true,
  },
  groups: {
    term: 'Groups',
    says: [
      'Convolutions may be split into groups that know nothing of one another.',
      'Blocks never reach over the border of a group.',
    ],
    see: ['layer-kind'],
    advanced: true,
  },
  'layer-place': {
    term: 'Place in the network',
    says: [
      'The layer’s number in the order in which the model uses them, from 0.',
      'Negative numbers count from the end: -1 is the last layer.',
    ],
    see: ['layer'],
    advanced: true,
  },
  kernel: {
    term: 'Kernel',
    says: [
      'The side of the window that a convolution looks through, in pixels of what it gets.',
      '3 is usual; 1 means that it looks at single pixels.',
    ],
    see: ['layer-kind'],
    advanced: true,
  },
  stride: {
    term: 'Stride',
    says: [
      'How far the window of a convolution moves from one output to the next.',
      '2 halves the width and height of what comes out.',
    ],
    see: ['layer-kind'],
    advanced: true,
  },
  'model-part': {
    term: 'Part of the model',
    says: [
      'Models of several files have parts, such as the one that reads words and the one that draws.',
      'A rule may mean the layers of one part alone.',
    ],
    see: ['layer'],
    advanced: true,
  },
  'free-numbers': {
    term: 'Free numbers',
    says: [
      'How many of a layer’s trained numbers can vary by themselves.',
      'The file stores some of them twice, so that this is less than what is stored.',
    ],
    see: ['numbers-trained'],
    advanced: true,
  },
  'layer-share': {
    term: 'Share',
    says: ['The layer’s part of all numbers that are trained.', 'A few wide layers often have most of them.'],
    see: ['numbers-trained'],
    advanced: true,
  },
  'layer-state': {
    term: 'State of a layer',
    says: [
      'Whether the layer is turned, left alone by a rule, or cannot be cut as the plan asks.',
      'What cannot be cut must be mended before the training starts.',
    ],
    see: ['rule'],
    advanced: true,
  },
  'layer-weights': {
    term: 'Weights of a layer',
    says: [
      'How many numbers the layer has in the model’s file.',
      'They stay as they are: what is trained only turns them.',
    ],
    see: ['turned'],
    advanced: true,
  },
  'layer-reach': {
    term: 'Whether a layer turns',
    says: [
      'What is learned comes to a layer from the end of the model, through all that stands behind it.',
      'Where something there lets nothing through, the layer cannot be trained.',
    ],
    see: ['turned'],
    advanced: true,
  },
  'rule-does': {
    term: 'What a rule does',
    says: [
      'The layers that it is for are turned, with settings of their own where it says some, or stay as they were.',
      'Later rules do not count for them.',
    ],
    see: ['rule', 'turned'],
    advanced: true,
  },
} as const satisfies Record<string, Entry>;
