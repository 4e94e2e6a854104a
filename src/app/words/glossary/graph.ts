/** @file Words for what a model's file holds: its graph of operators, its inputs and outputs. */
import type { Entry } from './entry.ts';

export const graph = {
  operator: {
    term: 'Operator',
    says: [
      'One kind of arithmetic that a model’s file asks for, such as Conv or MatMul.',
      'A model can be taught where every operator between the turned layers and the answer lets learning through.',
    ],
    see: ['node', 'operator-training'],
    advanced: true,
  },
  'operator-domain': {
    term: 'Domain of an operator',
    says: [
      'Who defines the operator: the ONNX standard, or a maker of tools with additions of its own.',
      'Of the additions only some are known here; an unknown one is said above, with a way out.',
    ],
    see: ['operator'],
    advanced: true,
  },
  node: {
    term: 'Node',
    says: [
      'One use of an operator in the model, with a name of its own.',
      'Many small nodes make a model slower than a few large ones.',
    ],
    see: ['operator'],
    advanced: true,
  },
  'operator-training': {
    term: 'Whether a gradient passes',
    says: [
      'Learning goes backwards through the model, and each operator on the way must be able to pass the gradient on.',
      'Layers behind one that cannot stay as they are; operators that no learning goes through need nothing.',
    ],
    see: ['operator', 'layer-reach'],
    advanced: true,
  },
  'node-on-cpu': {
    term: 'Why a node runs on the CPU',
    says: [
      'The GPU’s part of the runtime lacks this operator, or this kind of numbers, shape or setting of it.',
      'Such a node still computes the same; its numbers travel to the CPU and back, which takes time.',
    ],
    see: ['node', 'device'],
    advanced: true,
  },
  'value-name': {
    term: 'Name of an input or output',
    says: [
      'What the model’s file calls a place where data go in or answers come out.',
      'Files with arrays carry these names, so that each array finds its input.',
    ],
  },
  'value-type': {
    term: 'Type of the numbers',
    says: [
      'float32 are numbers with a fraction, float16 the same in half the room, int64 whole numbers.',
      'Data of another type are converted where nothing is lost by it, and refused where something would be.',
    ],
    see: ['value-name'],
  },
  'array-shape': {
    term: 'Shape of an array',
    says: [
      'How many examples the array holds, and how many numbers each of them is made of.',
      'Every array must hold as many examples as the others; the other sizes are the model’s own.',
    ],
    see: ['value-name'],
  },
  'open-size': {
    term: 'Shape in the file',
    says: [
      'How many numbers there are along each axis, as the file says it.',
      'A word or a question mark in the place of a size means that the file leaves it open.',
    ],
    see: ['bound-size'],
    advanced: true,
  },
  'bound-size': {
    term: 'Bound shape',
    says: [
      'The shape with every open size filled in, as it will be trained with.',
      'Where a guess is wrong, the fields above change it.',
    ],
    see: ['open-size'],
    advanced: true,
  },
} as const satisfies Record<string, Entry>;
