/** @file Classifiers that give several outputs: the one that a job names is trained, and its layers alone lie behind the loss. */
import { describe, expect, it } from 'vitest';
import { encodeModel } from '#src/onnx/encode.ts';
import type { Model } from '#src/onnx/model.ts';
import { graphOf, ints, model, n, ramp, value } from '#src/ops/testing/models.ts';
import { diskFiles, memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { Classifier } from '#src/tasks/image-classification/classifier.ts';
import { type ClassificationOptions, info as imageInfo } from '#src/tasks/image-classification/info.ts';
import { pictureInput } from '#src/tasks/images/pictureInput.ts';
import { preprocessing } from '#src/tasks/images/preprocess.ts';
import { classifierInputs, TextClassifier } from '#src/tasks/text-classification/classifier.ts';
import { type TextClassOptions, textClassDefaults } from '#src/tasks/text-classification/info.ts';
import { TextTokens } from '#src/tasks/text/tokens.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import type { TaskJob } from '#src/tasks/types.ts';

const opened = (m: Model) => openWhole(memoryFiles({ 'model.onnx': encodeModel(m) }))('model.onnx');
const heads = [n('MatMul', ['h', 'wa'], ['features']), n('MatMul', ['h', 'wb'], ['classes'])];
const weights = { wa: ramp(4, 8), wb: ramp(4, 3) };
const outputs = ['features', 'classes'];

async function ofPictures(output: string) {
  const nodes = [
    n('Conv', ['x', 'k'], ['c']),
    n('ReduceMean', ['c', 'axes'], ['h'], { keepdims: 0 }),
    ...heads,
  ];
  const graph = graphOf(
    nodes,
    { ...weights, k: ramp(4, 3, 3, 3), axes: ints(2, 3) },
    [value('x', 'float32', ['batch', 3, 8, 8])],
    outputs,
  );
  const file = await opened(model(graph, 18));
  const input = pictureInput(file.model, file.path);
  const options = { ...imageInfo.defaults, output };
  const job = testJob('image-classification', options) as TaskJob<ClassificationOptions>;
  const preprocess = preprocessing(null, { ...input, normalise: 'none', asked: { side: 8 } });
  return new Classifier(file, job, input, preprocess, null);
}

const tokens = await TextTokens.read(diskFiles('public/models/topics'), 'model.onnx');

async function ofTexts(output: string) {
  const nodes = [
    n('Gather', ['words', 'input_ids'], ['t'], { axis: 0 }),
    n('ReduceMean', ['t', 'axis'], ['h'], { keepdims: 0 }),
    ...heads,
  ];
  const graph = graphOf(
    nodes,
    { ...weights, words: ramp(9, 4), axis: ints(1) },
    [value('input_ids', 'int64', ['batch', 'length'])],
    outputs,
  );
  const file = await opened(model(graph, 18));
  const job = testJob('text-classification', { ...textClassDefaults, output }) as TaskJob<TextClassOptions>;
  return new TextClassifier(file, job, classifierInputs(file), tokens, null);
}

describe('the output with the scores', () => {
  it('of pictures', async () => {
    const keep = { kind: 'keep', names: [], indexOf: new Map(), problems: [], why: '' } as const;
    const shape = async (output: string) => (await ofPictures(output)).graph(2, keep).logits.shape;
    expect(await shape('')).toEqual([2, 8]);
    expect(await shape('classes')).toEqual([2, 3]);
    expect((await ofPictures('classes')).layers().map((l) => l.initializer)).toEqual(['k', 'wb']);
    await expect(shape('logits')).rejects.toThrow(
      /no output "logits"; its outputs are features \[2,8\], classes \[2,3\]/,
    );
  });

  it('of texts', async () => {
    const shape = async (output: string) => (await ofTexts(output)).graph(2, 5, null).logits.shape;
    expect(await shape('')).toEqual([2, 8]);
    expect(await shape('classes')).toEqual([2, 3]);
    expect((await ofTexts('classes')).graph(2, 5, 7).logits.shape).toEqual([2, 7]);
    await expect(shape('logits')).rejects.toThrow(/no output "logits"; its outputs are features/);
  });
});
