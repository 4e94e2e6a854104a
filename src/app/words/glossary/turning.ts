/** @file Words of what is trained, and of the plan that says so layer by layer. */
import type { Entry } from './entry.ts';

export const turning = {
  turned: {
    term: 'Turned',
    says: [
      'Rotune changes a layer by rotating what it computes, as one turns a picture: lengths and the angles among its numbers stay.',
      'So the model keeps what it knew while it learns something new; this way is called OFT.',
    ],
    picture: 'blocks',
    see: ['angle', 'block'],
  },
  angle: {
    term: 'Angle',
    says: [
      'How far a layer has turned from where it was: 0° is untouched.',
      'A few degrees are usual, and the layers that turn most are those that learn most.',
    ],
    picture: 'angle',
    see: ['turned', 'layer'],
  },
  block: {
    term: 'Block',
    says: [
      'A layer is cut into groups of neighbouring numbers, and each group turns by itself.',
      'Larger blocks can learn more, and have more numbers to train.',
    ],
    picture: 'blocks',
    see: ['turned', 'numbers-trained'],
  },
  'numbers-trained': {
    term: 'Numbers trained',
    says: [
      'How many numbers training may change: those that say how the blocks turn.',
      'Fewer make a smaller file and need less memory, more can learn more.',
    ],
    see: ['block', 'memory'],
  },
  'layers-turned': {
    term: 'Layers turned',
    says: ['How many of the model’s layers are trained.', 'All others stay exactly as they are.'],
    see: ['layer', 'turned'],
  },
  plan: {
    term: 'Plan',
    says: [
      'Which layers turn, and how each is cut into blocks.',
      'One setting holds for all of them, and rules make exceptions.',
    ],
    see: ['rule', 'block'],
    advanced: true,
  },
  rule: {
    term: 'Rule',
    says: [
      'An exception of the plan, for layers of a name, a kind or a role.',
      'A layer goes by the first rule that fits it.',
    ],
    see: ['plan', 'role'],
    advanced: true,
  },
  role: {
    term: 'Role',
    says: [
      'What a layer is there for in the model, such as attention or the last layer, as told by its name and its place.',
      'Rules can ask for it.',
    ],
    see: ['rule'],
    advanced: true,
  },
  side: {
    term: 'Side',
    says: [
      'Whether what a layer puts out is turned, or what it takes in.',
      'Other programs read one or the other: the hint below names them.',
    ],
    see: ['turned', 'place'],
    advanced: true,
  },
  algorithm: {
    term: 'Algorithm',
    says: [
      'OFT turns blocks on the diagonal; BOFT turns several times, each time with the numbers in another order.',
      'BOFT mixes all numbers of a layer with few trained ones, and is slower.',
    ],
    see: ['block', 'stages'],
    advanced: true,
  },
  rescale: {
    term: 'Rescale',
    says: [
      'Beside turning, each output of a layer learns a factor.',
      'It adds a few numbers, and not every program reads them.',
    ],
    see: ['turned', 'place'],
    advanced: true,
  },
  constraint: {
    term: 'Constraint',
    says: [
      'The farthest that blocks may turn, as in COFT; 0 sets no bound.',
      'A small one keeps the model near what it knew.',
    ],
    see: ['turned', 'clamp'],
    advanced: true,
  },
  clamp: {
    term: 'Whose constraint',
    says: [
      'Programs count the same constraint in different units.',
      'Take that of the program in which the result is used, so that it does not turn otherwise there.',
    ],
    see: ['constraint', 'place'],
    advanced: true,
  },
  'layer-dropout': {
    term: 'Layer dropout',
    says: [
      'The chance that a step leaves a whole layer untouched.',
      'What is learned then hangs less on single layers, which helps against learning by heart.',
    ],
    see: ['block-dropout', 'held-out'],
    advanced: true,
  },
  'block-dropout': {
    term: 'Block dropout',
    says: [
      'The chance that a step leaves a block untouched.',
      'What is learned then hangs less on single blocks, which helps against learning by heart.',
    ],
    see: ['layer-dropout', 'held-out'],
    advanced: true,
  },
  cayley: {
    term: 'Cayley transform',
    says: [
      'The formula that makes a rotation of the trained numbers.',
      'Exact always gives a true rotation; PEFT’s series comes near to it, and only while angles are small.',
    ],
    see: ['turned', 'terms'],
    advanced: true,
  },
  terms: {
    term: 'Terms',
    says: [
      'How many terms of PEFT’s series are summed.',
      'More come nearer to a true rotation, and take longer.',
    ],
    see: ['cayley'],
    advanced: true,
  },
  parameters: {
    term: 'What is trained',
    says: [
      'Whether a rotation has one number for each pair of places in its block, or two whose difference counts.',
      'The same rotations can be learned; the steps towards them differ by a factor of 2.',
    ],
    see: ['numbers-trained', 'block'],
    advanced: true,
  },
  'rate-factor': {
    term: 'Learning rate ×',
    says: [
      'A factor on the learning rate, for the layers that it is set for.',
      'Below 1 they learn more carefully than the rest.',
    ],
    see: ['learning-rate'],
    advanced: true,
  },
  dim: {
    term: 'Dim',
    says: [
      'LyCORIS’s way of cutting: each layer’s width is split into two near-square factors, and the block is no larger than this.',
      'A larger dim means larger blocks and more numbers.',
    ],
    see: ['block'],
    advanced: true,
  },
  'block-count': {
    term: 'Number of blocks',
    says: [
      'Every layer is cut into so many blocks, the r of the paper.',
      'Wide layers then have large blocks, and most of the numbers.',
    ],
    see: ['block'],
    advanced: true,
  },
  'block-size': {
    term: 'Block size',
    says: [
      'Every block turns so many neighbouring numbers, and a layer has as many blocks as fit.',
      'A block of b numbers has b·(b − 1)/2 free ones to train.',
    ],
    see: ['block', 'numbers-trained'],
    advanced: true,
  },
  stages: {
    term: 'Stages',
    says: [
      'How many times BOFT turns, each time with the numbers in another order.',
      'With all of them, every number of a layer meets every other one.',
    ],
    see: ['algorithm'],
    advanced: true,
  },
  'largest-block': {
    term: 'Largest block',
    says: [
      'A cap on the size of blocks, whatever the cutting would give.',
      'It keeps wide layers from taking most of the numbers.',
    ],
    see: ['block'],
    advanced: true,
  },
  'numbers-a-layer': {
    term: 'Numbers a layer',
    says: [
      'A cap on the numbers trained in one layer, by smaller blocks where it is reached.',
      'It keeps the file small where layers are very wide.',
    ],
    see: ['numbers-trained', 'block'],
    advanced: true,
  },
  'shared-block': {
    term: 'One rotation for all',
    says: [
      'All blocks of a layer turn alike, by one rotation.',
      'It takes a fraction of the numbers, and learns less.',
    ],
    see: ['block', 'numbers-trained'],
    advanced: true,
  },
  nearest: {
    term: 'Take the nearest that divides',
    says: [
      'Where a layer’s width cannot be cut as you ask, the nearest size that fits is taken for it.',
      'Without it, such layers are refused.',
    ],
    see: ['block-size', 'block-count'],
    advanced: true,
  },
  'lora-rank': {
    term: 'LoRA rank to compare',
    says: [
      'LoRA is another way of training little, whose size is set by its rank.',
      'The plan’s numbers are held against those of this rank; nothing is trained by it.',
    ],
    see: ['numbers-trained'],
    advanced: true,
  },
  budget: {
    term: 'At most … numbers',
    says: [
      'The most numbers that you want to train.',
      'Where the plan has more, a way of cutting is proposed that keeps within it.',
    ],
    see: ['numbers-trained'],
    advanced: true,
  },
} as const satisfies Record<string, Entry>;
