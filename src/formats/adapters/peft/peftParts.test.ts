import { describe, expect, it } from 'vitest';
import { nameModules } from '#src/oft/modules/tree.ts';
import { peftSettings } from '#src/oft/plan/planned.ts';
import { readSafetensors, writeSafetensors } from '../../files/safetensors.ts';
import { seeded, testAdapter, testLayer } from '../../testing/adapters.ts';
import { adapterLosses, readAdapter, writeAdapter } from '../adapterFiles.ts';

const layers = nameModules([
  testLayer('model.layers.0.attn.qkv_proj.MatMul', 16, 32),
  testLayer('model.layers.0.attn.o_proj.MatMul', 16, 16),
  testLayer('lm_head.MatMul', 16, 24),
]);
const roll = seeded(2);
const adapter = layers.map((layer) => testAdapter(layer, 4, peftSettings, roll));
const folder = async () =>
  new Map((await writeAdapter('peft', { layers: adapter })).files.map((f) => [f.path, f.bytes]));
const weights = 'adapter_model.safetensors';
const attention = (each: string): string =>
  `base_model.model.model.layers.0.self_attn.${each}_proj.oft_R.weight`;

describe('queries, keys and values in one layer', () => {
  it('are three modules of one rotation in PEFT’s folder', async () => {
    const files = await folder();
    const { tensors } = readSafetensors(files.get(weights)!);
    expect([...tensors.keys()].sort()).toEqual(
      [...['k', 'o', 'q', 'v'].map(attention), 'base_model.model.lm_head.oft_R.weight'].sort(),
    );
    for (const each of ['q', 'k', 'v'])
      expect(tensors.get(attention(each))!.data).toEqual(adapter[0]!.blocks);
    const config = JSON.parse(new TextDecoder().decode(files.get('adapter_config.json'))) as {
      target_modules: string[];
    };
    expect(config.target_modules).toEqual([
      ...['q', 'k', 'v', 'o'].map((each) => `model.layers.0.self_attn.${each}_proj`),
      'lm_head',
    ]);
    expect(
      adapterLosses(
        'peft',
        adapter.map((l) => l.layer),
      ).join(),
    ).toMatch(/joins queries, keys and values/);
  });

  it('are read back as one', async () => {
    const read = readAdapter(await folder(), layers);
    expect(read.layers.map(({ blocks }) => blocks)).toEqual(adapter.map(({ blocks }) => blocks));
    expect([read.missing, read.unexpected]).toEqual([[], []]);
  });

  it.each<[string, RegExp]>([
    ['one turned otherwise', /turns each otherwise/],
    ['one missing', /turns only some of them/],
  ])('are refused with %s', async (what, message) => {
    const files = await folder();
    const { tensors, metadata } = readSafetensors(files.get(weights)!);
    const changed = new Map(tensors);
    const key = attention('v');
    if (what === 'one missing') changed.delete(key);
    else {
      const data = (tensors.get(key)!.data as Float32Array).map((x) => x + 0.1);
      changed.set(key, { ...tensors.get(key)!, data });
    }
    files.set(weights, writeSafetensors(changed, metadata));
    expect(() => readAdapter(files, layers)).toThrow(message);
  });
});
