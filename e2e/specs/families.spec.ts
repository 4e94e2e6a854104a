/** @file A folder of each family of models is opened on the page, which says first what it is for. */
import { taskInfo } from '#src/tasks/infos.ts';
import { expect, test } from '../pages/test.ts';

/** A folder of each family, and what somebody who knows the models would teach it first. */
const FAMILIES: readonly (readonly [family: string, folder: string, task: string])[] = [
  ['BERT', 'e2e/golden/zoo/bert-cls-dyn18', 'text-classification'],
  ['BERT of Optimum, fused', 'e2e/golden/zoo/bert-optimum14-fused', 'text-classification'],
  ['CLIP, its texts', 'e2e/golden/zoo/clip-text-dyn18', 'text-classification'],
  ['GRU', 'e2e/golden/zoo/gru-refuse-ts17', 'text-classification'],
  ['GPT-2', 'e2e/golden/zoo/gpt2-dyn20', 'language'],
  ['GPT-2 with its past', 'e2e/golden/zoo/gpt2-past-optimum18', 'language'],
  ['Llama', 'e2e/golden/zoo/llama-dyn20', 'language'],
  ['Llama without its embedding, in 4 bits', 'e2e/golden/zoo/llama-int4-qdq21', 'generic'],
  ['Qwen2', 'e2e/golden/zoo/qwen2-ts18', 'language'],
  ['perceptron', 'e2e/golden/zoo/mlp-dyn20', 'generic'],
  ['MobileNetV2', 'e2e/golden/zoo/mobilenetv2-dyn21', 'image-classification'],
  ['ResNet', 'e2e/golden/zoo/resnet18-bn-ts14', 'image-classification'],
  ['ViT of Transformers', 'e2e/golden/zoo/vit-hf-ts14', 'image-classification'],
  ['ViT of timm', 'e2e/golden/zoo/vit-timm-dyn18', 'image-classification'],
  ['a UNet of Stable Diffusion', 'e2e/golden/zoo/sd-unet-dyn18', 'diffusion'],
  ['a UNet of Stable Diffusion 2', 'e2e/golden/zoo/sd2-unet-ts14', 'diffusion'],
  ['a VAE’s decoder', 'e2e/golden/zoo/vae-decoder-dyn20', 'generic'],
  ['Stable Diffusion', 'e2e/golden/tiny-sd', 'diffusion'],
  ['Stable Diffusion XL', 'e2e/golden/tiny-sdxl', 'diffusion'],
  ['a model from pictures to pictures', 'public/models/repaint', 'pairs'],
];
/** Of all families, at least. */
const RIGHT = 0.9;

test(`what ${FAMILIES.length} families of models are for is said first, of nine in ten at least`, async ({
  rotune,
  page,
}) => {
  await rotune.open();
  const offers = page.getByRole('region', { name: 'What it can be taught' });
  const wrong: string[] = [];
  for (const [family, folder, task] of FAMILIES) {
    await page.getByRole('button', { name: /^Open (?:a|another) model folder$/ }).setInputFiles(folder);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(folder.split('/').at(-1)!);
    await expect(offers).toBeVisible();
    const said = await offers.getByRole('heading', { level: 3 }).first().innerText();
    if (!said.startsWith(taskInfo(task)!.title)) wrong.push(`${family}: ${said}`);
  }
  expect(wrong.length, wrong.join('\n')).toBeLessThanOrEqual((1 - RIGHT) * FAMILIES.length);
});
