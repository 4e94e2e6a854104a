import { describe, expect, it } from 'vitest';
import type { Model } from '#src/onnx/model.ts';
import { model as modelOf } from '#src/ops/testing/models.ts';
import { DataError } from '../files.ts';
import { externalPaths } from './folder.ts';
import { memoryFiles } from './testing/diskFiles.ts';

describe('externalPaths', () => {
  const external = (location: string) => ({
    type: 'float32' as const,
    shape: [1],
    data: { kind: 'external' as const, location, offset: 0, length: 4 },
  });
  const model = (locations: string[]): Model =>
    modelOf({
      name: '',
      inputs: [],
      outputs: [],
      nodes: [],
      initializers: new Map(locations.map((l, i) => [`w${i}`, external(l)])),
    });

  it('finds the files beside the model and names those that are not there', () => {
    const files = memoryFiles({ 'unet/model.onnx': '', 'unet/model.onnx.data': '' }, 'my model');
    expect(
      externalPaths(files, 'unet/model.onnx', model(['model.onnx.data', './model.onnx.data'])),
    ).toContain('unet/model.onnx.data');
    const read = () => externalPaths(files, 'unet/model.onnx', model(['model.onnx.data', 'more.bin']));
    expect(read).toThrow(DataError);
    expect(read).toThrow(/keeps its weights in unet\/more\.bin, which is not in my model/);
  });
});
