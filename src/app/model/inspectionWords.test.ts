import { expect, it } from 'vitest';
import { fakeModel, fakeRefusal } from '../testing/fakeInspection.ts';
import {
  canTrain,
  inputsLine,
  layersLine,
  operatorsLine,
  originLine,
  placementLine,
  shapeText,
  tabName,
  typesText,
  usesText,
  weightFiles,
} from './inspectionWords.ts';

const model = fakeModel('unet/model.onnx');
const refused = fakeRefusal('vocoder/model.onnx');

it('says shapes, files and uses', () => {
  expect(shapeText(['batch', 3, null])).toBe('batch × 3 × ?');
  expect(shapeText([])).toBe('one number');
  expect(shapeText(null)).toBe('any shape');
  expect(tabName('unet/model.onnx')).toBe('unet');
  expect(tabName('model.onnx')).toBe('model.onnx');
  expect(tabName('a/decoder_model.onnx')).toBe('a/decoder_model.onnx');
  const use = (input: string) => ({ input, axis: 1 });
  expect(usesText([use('a'), use('b'), use('c')])).toBe('a, axis 1; b, axis 1; 1 more');
});

it('sums up a model', () => {
  expect(originLine(model)).toBe('pytorch 2.15.0 · opset 17, com.microsoft 1');
  expect(originLine({ ...model, producer: '' })).toMatch(/^unknown exporter/);
  expect(inputsLine(model)).toBe('sample, timestep → out_sample');
  expect(layersLine([])).toBe('none found');
  expect(layersLine(model.layers.slice(0, 1))).toMatch(/^1 layer: 1 (linear|convolution)$/);
  expect(operatorsLine(model)).toBe('3 kinds, 612 nodes');
  expect(operatorsLine(refused)).toBe('1 kind, 18 nodes; 1 not supported');
  expect(typesText({ ...model.weights, types: [] })).toBe('none');
  expect([canTrain(model), canTrain(refused), canTrain(null)]).toEqual([true, false, false]);
});

it('says where the weights are', () => {
  const file = (path: string, bytes: number | null = 8) => ({ path, bytes });
  expect(weightFiles({ external: [] })).toBe('in one file');
  expect(weightFiles({ external: [file('unet/model.onnx_data')] })).toBe('with model.onnx_data');
  expect(weightFiles({ external: [file('a'), file('b')] })).toBe('with 2 files of weights');
  expect(weightFiles({ external: [file('a'), file('b', null)] })).toMatch(/missing/);
});

it('says where nodes run', () => {
  const [elsewhere] = model.placement!.elsewhere;
  expect(placementLine(model.placement)).toBe(
    '1 of 2\u2009100 nodes of a training step would run on the CPU',
  );
  expect(placementLine({ of: 'model', nodes: 7, elsewhere: [] })).toBe(
    'all 7 nodes of the model run on the GPU',
  );
  expect(placementLine(refused.placement)).toMatch(/not known/);
  expect(elsewhere?.reason).toMatch(/kernel/);
});
