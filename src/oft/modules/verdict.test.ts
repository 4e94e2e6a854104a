/** @file What a badge says where several models are trained together. */
import { expect, it } from 'vitest';
import { testLayer } from '#src/formats/testing/adapters.ts';
import { peftSettings, plannedLayer } from '../plan/planned.ts';
import { foundBy, nameLosses } from './verdict.ts';
import { nameModules } from './tree.ts';

it('counts for PEFT one model’s layers only: a folder goes into one', () => {
  const layers = nameModules([
    ...['to_q', 'to_k'].map((name) =>
      testLayer(`down_blocks.0.attentions.0.transformer_blocks.0.attn1.${name}`, 32, 32, { part: 'unet' }),
    ),
    testLayer('down_blocks.0.resnets.0.time_emb_proj', 32, 32, { part: 'unet' }),
    testLayer('text_model.encoder.layers.0.self_attn.q_proj', 32, 32, { part: 'text_encoder' }),
  ]);
  const planned = layers.map((layer) => plannedLayer(layer, peftSettings, { count: 4, size: 8 }));
  const { found, missed } = foundBy('PEFT', 'peft', planned);
  expect([found.length, missed.length]).toEqual([3, 1]);
  expect(nameLosses('PEFT', 'peft', planned)).toEqual([
    expect.stringMatching(/^PEFT finds 3 of the 4 layers in it\. A folder of PEFT goes into one model/),
  ]);
  expect(foundBy('PEFT', 'peft', planned.slice(0, 3)).missed).toEqual([]);
});
