/** @file What the rehearsal promises, saving keeps: every real exporter's model, in every kind of file, with every layer turned. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { adapterFit, adapterFormats } from '#src/formats/adapters/adapterFiles.ts';
import { defaultJob } from '#src/formats/jobs/job.ts';
import { defaultPlan } from '#src/formats/plans/plan.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import type { Plan } from '#src/oft/types.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { readRanges, readStructure } from '#src/tasks/modelFiles.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { exportAs, wholeParts } from '../adapters/adapter.ts';
import { type Rehearsed, rehearse } from './rehearse.ts';

const zoo = 'e2e/golden/zoo';

/** A folder on disk as a picked one. */
function filesOf(folder: string): FileSet {
  const bytes = new Map(
    readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(`${folder}/${name}`))]),
  );
  const of = (path: string): Uint8Array<ArrayBuffer> => bytes.get(path)!;
  return {
    name: folder,
    paths: [...bytes.keys()],
    size: (path: string) => Promise.resolve(of(path).length),
    read: (path: string, offset = 0, length = of(path).length) =>
      Promise.resolve(of(path).slice(offset, offset + length)),
  };
}

/** What makeSetup makes of a model, without data. @param bytes what it is said to measure */
async function rehearsed(
  folder: string,
  plan: Plan,
  dims: Record<string, number>,
  bytes: number,
): Promise<Rehearsed> {
  const files = filesOf(folder);
  const { model } = await readStructure(files, 'model.onnx');
  const layers = findLayers(importGraph(model, dims));
  return {
    job: { ...defaultJob, plan },
    layers,
    layout: parameterLayout(planLayers(layers, plan).planned),
    external: readRanges(files),
    model: {
      hash: '0'.repeat(64),
      bytes,
      parts: [{ part: '', file: { path: 'model.onnx', model, hash: '0'.repeat(64), bytes } }],
    },
    prepared: { classes: undefined },
  };
}

const cases = readdirSync(zoo).flatMap((name) => {
  const { expect: outcome, dims = {} } = JSON.parse(readFileSync(`${zoo}/${name}/case.json`, 'utf8')) as {
    expect: string;
    dims?: Record<string, number>;
  };
  return outcome === 'train' ? [{ name, dims }] : [];
});
const plans: readonly [string, Plan][] = [
  ['output side', defaultPlan],
  ['input side', { ...defaultPlan, side: 'input', blocks: { size: 4 } }],
];

/** Files are written alike on the input side: one model of each family shows it. */
const bothSides = /^(llama-int4|gpt2-past|resnet18-bn|sd2-unet|bert-optimum14$|vit-timm-dyn18)/;

describe.each(cases)('$name', ({ name, dims }) => {
  it.each(plans.slice(0, bothSides.test(name) ? 2 : 1))(
    '%s: what is not refused beforehand is saved',
    async (_, plan) => {
      const setup = await rehearsed(`${zoo}/${name}`, plan, dims, 1);
      const { layout, layers, job, model, prepared } = setup;
      const refused = await rehearse(setup);
      expect(refused).toEqual([]);
      const theta = Float32Array.from({ length: layout.size }, (_, i) => 0.01 * ((i % 5) - 2));
      const adapter = {
        id: 'x',
        job,
        layers,
        layout,
        theta,
        step: 1,
        modelHash: model.hash,
        classes: prepared.classes,
      };
      for (const format of adapterFormats) {
        if (adapterFit(format, layout.planned).obstacles.length > 0) continue;
        const save = exportAs(adapter, format, () => wholeParts(model as never, setup.external));
        expect((await save).bytes.length, format).toBeGreaterThan(0);
      }
      // Of a large model it says as much: one layer of each kind is read, whatever the model's size.
      expect(await rehearse(await rehearsed(`${zoo}/${name}`, plan, dims, 1e9))).toEqual([]);
    },
  );
});
