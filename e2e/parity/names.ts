/** @file Rotune's half of the parity of names: adapters for a wrapped UNet and a text encoder of transformers 5, and one of SDXL's names read. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAdapter } from '#src/formats/adapters/adapterFiles.ts';
import { defaultPlan } from '#src/formats/plans/plan.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { compatibility } from '#src/oft/preflight/compatibility.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { blockNumbers, peftSettings } from '#src/oft/plan/planned.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Plan } from '#src/oft/types.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { check } from '../../scripts/check/main.ts';
import { withPart } from '../../scripts/check/plan.ts';

/** PEFT has no form for convolutions' own forward pass, and the question is names alone. */
const linear: Plan = {
  ...peftSettings,
  blocks: { size: 8, fit: 'nearest' },
  rules: [{ match: { kind: 'conv' }, skip: true }],
};

/** Numbers that no other layer has, so that a mix-up shows. */
const numbers = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => 0.05 * Math.sin(1 + seed * 13 + i));

/** @param work the folder that names.py filled, absolute */
export async function run(work: string): Promise<void> {
  const badge: Record<string, number> = {};
  for (const [name, part] of [
    ['wrapped', 'unet'],
    ['clip', 'text_encoder'],
  ] as const) {
    const file = join(work, name, part, 'model.onnx');
    const graph = importGraph(decodeModel(new Uint8Array(await readFile(file))), { batch: 1 });
    const layers = withPart(findLayers(graph), file);
    for (const [format, tool, plan] of [
      ['lycoris', 'LyCORIS', defaultPlan],
      ['peft', 'PEFT', linear],
    ] as const) {
      const { planned } = planLayers(layers, plan);
      const adapters = planned.map((layer, i) => ({ layer, blocks: numbers(blockNumbers(layer), i) }));
      const adapted = new Set(planned.map((p) => p.layer));
      const others = layers.filter((layer) => !adapted.has(layer));
      for (const { path, bytes } of (await writeAdapter(format, { layers: adapters, others })).files) {
        const to = join(work, name, format, path);
        await mkdir(dirname(to), { recursive: true });
        await writeFile(to, bytes);
      }
      badge[`${name}/${format}`] = compatibility(planned).find((t) => t.tool === tool)!.found;
    }
  }
  await writeFile(join(work, 'badge.json'), JSON.stringify(badge));
  const sdxl = (path: string): string => join(work, 'sdxl', path);
  const said: string[] = [];
  const status = await check(
    [
      ...[sdxl('unet/model.onnx'), '--adapter', sdxl('adapter.safetensors')],
      ...['--gradients', sdxl('in.safetensors'), sdxl('ours.safetensors')],
    ],
    '/',
    { out: () => undefined, err: (text) => said.push(text) },
  );
  if (status !== 0) throw new Error(`npm run check refused an adapter of SDXL's names: ${said.join(' ')}`);
}
