import { expect, it } from 'vitest';
import { testLayer } from '#src/formats/testing/adapters.ts';
import { moduleOf, nameModules } from './tree.ts';

const named = (paths: readonly string[], root?: string) =>
  nameModules(
    paths.map((path) => testLayer(path, 8, 8)),
    root,
  ).map(moduleOf);

it("names of onnxruntime-genai's builder become transformers'", () => {
  const names = named([
    'model.layers.0.attn.qkv_proj.MatMul',
    'model.layers.0.attn.o_proj.MatMul',
    'model.layers.0.mlp.down_proj.MatMul',
    'model.layers.11.attn.q_proj.MatMul',
    'lm_head.MatMul',
  ]);
  expect(names.map(({ path, parts }) => parts ?? path)).toEqual([
    ['q', 'k', 'v'].map((each) => `model.layers.0.self_attn.${each}_proj`),
    'model.layers.0.self_attn.o_proj',
    'model.layers.0.mlp.down_proj',
    'model.layers.11.self_attn.q_proj',
    'lm_head',
  ]);
});

it('names of others stay, and so do those of a root that was set by hand', () => {
  const others = ['model.layers.0.self_attn.q_proj', 'lm_head', 'x.MatMul', 'h.0.attn.qkv_proj'];
  expect(named(others).map(({ path }) => path)).toEqual(others);
  expect(named(['model.layers.0.attn.qkv_proj.MatMul'], '')[0]).toMatchObject({
    path: 'model.layers.0.attn.qkv_proj.MatMul',
  });
});
