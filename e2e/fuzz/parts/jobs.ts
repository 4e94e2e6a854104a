/** @file Jobs and plans as tables, whole and with parts exchanged, and what their use comes to. */
import type { Plan } from '#src/oft/types.ts';
import { defaultJob, jobToTable } from '#src/formats/jobs/job.ts';
import { findLayers } from '#src/oft/layers/layers.ts';
import { planLayers } from '#src/oft/plan/planning.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import type { Dice } from '#src/tasks/testing/fuzz.ts';
import { fixture } from '../../golden/testing/fixtures.ts';
import type { Said } from '../kind.ts';
import { drawn, regexes, slowRegexes } from './regexes.ts';
import { spoiled } from './spoil.ts';

/** A rule's table with a few of its keys. */
function ruleTable(d: Dice): object {
  const regex = d.chance(0.5) ? d.pick(slowRegexes) : drawn(regexes, d.whole(2 ** 30));
  const match = Object.fromEntries(
    Object.entries({
      ...{ regex, name: '*.attn.*', kind: 'linear', role: 'other', in: '>=2', out: 8, position: '<3' },
      ...{ kernel: 3, stride: 1, groups: '>1', part: 'text_encoder' },
    }).filter(([key]) => d.chance(key === 'regex' ? 0.6 : 0.15)),
  );
  const settings = Object.entries({
    ...{
      algorithm: 'boft',
      side: 'input',
      blocks: { size: d.whole(9) },
      parameters: 'triangle',
      rescale: true,
    },
    ...{ constraint: 0.1, clamp: 'peft', cayley: { terms: 3 }, lr_scale: 2, skip: true, rank_dropout: 0.1 },
  }).filter(() => d.chance(0.15));
  return { match, ...Object.fromEntries(settings) };
}

/** A job's table that may pass, with rules of every sort. */
export function jobTable(d: Dice): object {
  const table = jobToTable({ ...defaultJob, task: d.pick(taskInfos).id }) as { readonly plan: object };
  const rule = Array.from({ length: d.whole(3) }, () => ruleTable(d));
  return { ...table, plan: { ...table.plan, ...(rule.length > 0 && { rule }) } };
}

/** A table, as it is or with some of its parts exchanged. */
export function spoiledTable(d: Dice, table: object): unknown {
  let out: unknown = table;
  const random = (): number => d.whole(2 ** 30) / 2 ** 30;
  for (let i = d.whole(3); i > 0; i--) out = spoiled(out, random);
  return out;
}

/** Lists in lists, as text. */
export const nestedJson = (depth: number): string => `{"train":${'['.repeat(depth)}${']'.repeat(depth)}}`;

const layers = ['oft/trajectory_mlp.onnx', 'oft/trajectory_conv.onnx'].flatMap((path) =>
  findLayers(importGraph(decodeModel(fixture(path)))),
);
const long = { ...layers[0]!, path: `${'a'.repeat(300)}!` };

/** What a plan that was read says of layers, one with a long name among them. */
export const planned = (plan: Plan): readonly Said[] =>
  planLayers([...layers, long], plan).problems.filter((problem) => problem.severity === 'error');
