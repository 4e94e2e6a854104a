/** @file Which task a model is for, held to what somebody who knows the models would say. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { graphOf, model, n, ramp, value } from '#src/ops/testing/models.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import type { Dim, DType } from '#src/onnx/model.ts';
import { type Beside, nothingBeside } from '#src/tasks/recognition/beside.ts';
import { cluesOf } from '#src/tasks/recognition/clues.ts';
import { propose } from '#src/tasks/recognition/propose.ts';
import type { Proposal } from '#src/tasks/recognition/types.ts';
import { inspect } from './inspect.ts';
import { modelPaths, readModelFile } from './reading.ts';

/** By folder, and by file where a folder holds several. */
const expected: Readonly<Record<string, string>> = {
  'e2e/golden/zoo/bad-custom-op': 'generic',
  'e2e/golden/zoo/bad-mismatched-shape': 'generic',
  'e2e/golden/zoo/bad-undefined-input': 'generic',
  'e2e/golden/zoo/bert-cls-dyn18': 'text-classification',
  'e2e/golden/zoo/bert-cls-raw-dyn18': 'text-classification',
  'e2e/golden/zoo/bert-cls-ts14': 'text-classification',
  'e2e/golden/zoo/bert-optimum14': 'text-classification',
  'e2e/golden/zoo/bert-optimum14-fused': 'text-classification',
  'e2e/golden/zoo/clip-text-dyn18': 'text-classification',
  'e2e/golden/zoo/clip-text-ts14': 'text-classification',
  'e2e/golden/zoo/gpt2-dyn20': 'language',
  'e2e/golden/zoo/gpt2-past-optimum18': 'language',
  'e2e/golden/zoo/gpt2-ts17': 'language',
  'e2e/golden/zoo/gru-refuse-ts17': 'text-classification',
  'e2e/golden/zoo/llama-dyn20': 'language',
  // They take embeddings, not tokens: no text can be given to them.
  'e2e/golden/zoo/llama-int4-nbits': 'generic',
  'e2e/golden/zoo/llama-int4-qdq21': 'generic',
  'e2e/golden/zoo/llama-ts17': 'language',
  'e2e/golden/zoo/mlp-dyn20': 'generic',
  'e2e/golden/zoo/mlp-ts14': 'generic',
  'e2e/golden/zoo/mobilenetv2-dyn21': 'image-classification',
  'e2e/golden/zoo/mobilenetv2-ts18': 'image-classification',
  'e2e/golden/zoo/qwen2-ts18': 'language',
  'e2e/golden/zoo/resnet18-bn-ts14': 'image-classification',
  'e2e/golden/zoo/resnet18-dyn18': 'image-classification',
  'e2e/golden/zoo/resnet18-ts17': 'image-classification',
  'e2e/golden/zoo/sd-unet-dyn18': 'diffusion',
  'e2e/golden/zoo/sd-unet-ts17': 'diffusion',
  'e2e/golden/zoo/sd2-unet-ts14': 'diffusion',
  // Latents in: neither a picture nor a part of anything that is here.
  'e2e/golden/zoo/vae-decoder-dyn20': 'generic',
  'e2e/golden/zoo/vae-decoder-ts17': 'generic',
  'e2e/golden/zoo/vit-hf-ts14': 'image-classification',
  'e2e/golden/zoo/vit-timm-dyn18': 'image-classification',
  'e2e/golden/zoo/vit-timm-dyn23': 'image-classification',
  'e2e/golden/tiny-sd': 'diffusion',
  'e2e/golden/tiny-sdxl': 'diffusion',
  'public/models/emoji': 'diffusion',
  'public/models/repaint': 'pairs',
  'public/models/shapes': 'image-classification',
  'public/models/stories': 'language',
  'public/models/topics': 'text-classification',
  'public/models/waves': 'generic',
};

/** What is proposed for a folder's one model, or for what draws in it, by its file alone: no step is compiled. */
async function proposed(folder: string): Promise<readonly Proposal[]> {
  const files = diskFiles(folder);
  const paths = modelPaths(files);
  const file = await readModelFile(files, paths.find((p) => p.startsWith('unet/')) ?? paths[0]!);
  return propose(cluesOf(file, file.beside));
}

describe('of real files', () => {
  it.each(Object.entries(expected))('%s is for %s', async (folder, task) => {
    const proposals = await proposed(folder);
    expect(proposals[0]?.task).toBe(task);
    expect(proposals.at(-1)?.task).toBe(proposals.length === 1 ? task : 'generic');
    const known = new Set(taskInfos.map(({ id }) => id));
    for (const each of proposals) {
      expect(known).toContain(each.task);
      expect(each.why).toMatch(/^[A-Z].{20,300}\.$/);
      expect(each.why).not.toMatch(/undefined|null|\[object|NaN/);
    }
  });

  it('all of the zoo that can be read, and all that is built in, is in the table', () => {
    const readable = readdirSync('e2e/golden/zoo').filter(
      (name) => !/^bad-(empty|negative|short|truncated)/.test(name),
    );
    const all = [
      ...readable.map((name) => `e2e/golden/zoo/${name}`),
      ...readdirSync('public/models').map((name) => `public/models/${name}`),
    ];
    expect(all.filter((folder) => !(folder in expected))).toEqual([]);
  });

  it('a pipeline is shown by what draws in it, and all of its parts are for diffusion', async () => {
    const { models, first: path } = await inspect(diskFiles('e2e/golden/tiny-sd'));
    expect(path).toBe('unet/model.onnx');
    expect(models.map((m) => m.kind === 'model' && m.proposals[0]?.task)).toEqual(Array(4).fill('diffusion'));
    expect((await proposed('e2e/golden/tiny-sd'))[0]).toMatchObject({
      sureness: 'certain',
      why: expect.stringContaining('StableDiffusion') as string,
    });
  });

  it('says what is not among the files', async () => {
    const lacking = async (folder: string) => (await proposed(folder))[0]?.lacks;
    expect(await lacking('e2e/golden/zoo/gpt2-dyn20')).toMatch(/tokenizer.*open the whole folder/);
    expect(await lacking('e2e/golden/zoo/sd-unet-ts17')).toMatch(/model_index\.json/);
    expect(await lacking('public/models/stories')).toBeUndefined();
    expect(await lacking('e2e/golden/tiny-sd')).toBeUndefined();
  });
});

type Shapes = Readonly<Record<string, readonly Dim[]>>;
const ids = { input_ids: ['b', 's'], attention_mask: ['b', 's'] };
const picture = { pixel_values: ['b', 3, 'h', 'w'] };

/** A model of which only its inputs and outputs are known. */
function signature(inputs: Shapes, outputs: Shapes, beside: Partial<Beside>, words: number | null) {
  const type = (name: string): DType => (/ids|mask/.test(name) ? 'int64' : 'float32');
  const values = (shapes: Shapes) =>
    Object.entries(shapes).map(([name, shape]) => value(name, type(name), shape));
  const lookUp = words === null ? [] : [n('Gather', ['embedding', 'input_ids'], ['looked up'])];
  const table: Parameters<typeof graphOf>[1] = words === null ? {} : { embedding: ramp(words, 4) };
  const graph = { ...graphOf(lookUp, table, values(inputs), []), outputs: values(outputs) };
  return cluesOf({ path: 'model.onnx', model: model(graph) }, { ...nothingBeside, ...beside });
}
const config = (name: string, classes: number | null = null) => ({ architectures: [name], classes });

/** What the zoo has none of: [what, its task, inputs, outputs, what lies beside it, words that its embedding knows]. */
const signatures: readonly (readonly [string, string, Shapes, Shapes, Partial<Beside>?, number?])[] = [
  ['an embedding of texts', 'text-classification', ids, { sentence_embedding: ['b', 384] }],
  [
    'a sentence-transformers folder',
    'text-classification',
    ids,
    { output: ['b', 's', 384] },
    { embeds: true, ...config('BertModel') },
  ],
  [
    'a trunk that was trained to fill gaps',
    'text-classification',
    ids,
    { last_hidden_state: ['b', 's', 768] },
    config('BertForMaskedLM'),
  ],
  [
    'a model that fills gaps',
    'generic',
    ids,
    { logits: ['b', 's', 30522] },
    config('BertForMaskedLM'),
    30522,
  ],
  [
    'a tagger of words',
    'generic',
    ids,
    { logits: ['b', 's', 9] },
    config('BertForTokenClassification', 9),
    30522,
  ],
  ['a tagger of words that says nothing', 'generic', ids, { logits: ['b', 's', 9] }, {}, 30522],
  [
    'a finder of answers',
    'generic',
    ids,
    { start_logits: ['b', 's'], end_logits: ['b', 's'] },
    config('BertForQuestionAnswering'),
  ],
  [
    'a sorter of texts',
    'text-classification',
    ids,
    { logits: ['b', 2] },
    config('DistilBertForSequenceClassification', 2),
  ],
  ['a writer of texts', 'language', ids, { logits: ['b', 's', 'v'] }, config('Qwen2ForCausalLM')],
  ['a writer by its folder', 'language', ids, { logits: ['b', 's', 151936] }, { generates: true }],
  ['a writer by its embedding', 'language', ids, { logits: ['b', 's', 50257] }, {}, 50257],
  [
    'a translator',
    'generic',
    { ...ids, decoder_input_ids: ['b', 't'] },
    { logits: ['b', 't', 32128] },
    config('T5ForConditionalGeneration'),
  ],
  ['DINO', 'image-classification', picture, { last_hidden_state: ['b', 257, 384] }, config('Dinov2Model')],
  ['an embedding of pictures', 'image-classification', picture, { image_embeds: ['b', 512] }],
  ['digits', 'image-classification', { Input3: [1, 1, 28, 28] }, { Plus214_Output_0: [1, 10] }],
  ['channels last', 'image-classification', { input_1: [null, 224, 224, 3] }, { predictions: [null, 1000] }],
  ['SqueezeNet', 'image-classification', { data_0: [1, 3, 224, 224] }, { softmaxout_1: [1, 1000, 1, 1] }],
  [
    'super-resolution',
    'pairs',
    picture,
    { reconstruction: ['b', 3, 'h2', 'w2'] },
    config('Swin2SRForImageSuperResolution'),
  ],
  ['style transfer', 'pairs', { input1: [1, 3, 224, 224] }, { output1: [1, 3, 224, 224] }],
  ['depth', 'generic', picture, { predicted_depth: ['b', 'h', 'w'] }, config('DPTForDepthEstimation')],
  [
    'segmentation',
    'generic',
    picture,
    { logits: ['b', 150, 'h', 'w'] },
    config('SegformerForSemanticSegmentation'),
  ],
  [
    'a detector',
    'generic',
    picture,
    { logits: ['b', 100, 92], pred_boxes: ['b', 100, 4] },
    config('DetrForObjectDetection'),
  ],
  ['YOLO', 'generic', { images: [1, 3, 640, 640] }, { output0: [1, 84, 8400] }],
  [
    'speech',
    'generic',
    { input_features: ['b', 80, 3000] },
    { last_hidden_state: ['b', 1500, 384] },
    config('WhisperForConditionalGeneration'),
  ],
  ['a spectrogram', 'generic', { mel_spectrogram: ['b', 1, 128, 'frames'] }, { scores: ['b', 527] }],
  ['CLIP', 'generic', { ...ids, ...picture }, { logits_per_image: ['i', 't'] }, config('CLIPModel')],
  ['a VAE encoder', 'generic', { sample: ['b', 3, 'h', 'w'] }, { latent_parameters: ['b', 8, 'x', 'y'] }],
  ['a table’s rows', 'generic', { X: [null, 13] }, { variable: [null, 1] }],
];

for (const [what, task, inputs, outputs, beside = {}, words = null] of signatures)
  it(`${what} is for ${task}`, () => {
    const proposals = propose(signature(inputs, outputs, beside, words));
    expect(proposals[0]?.task).toBe(task);
    expect(proposals.map((p) => p.task)).toContain('generic');
  });
