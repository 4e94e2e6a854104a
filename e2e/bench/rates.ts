/** @file How fast a model may learn: the loss of short runs by kind of model, adapter and learning rate, in Node on WebAssembly. */
import { defaultPlan } from '#src/formats/plans/plan.ts';
import { peftSettings } from '#src/oft/plan/planned.ts';
import type { Plan } from '#src/oft/types.ts';
import { diskFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import type { FileSet } from '#src/tasks/files.ts';
import { task as arrays } from '#src/tasks/generic/task.ts';
import { task as images } from '#src/tasks/image-classification/task.ts';
import { pngDecoder } from '#src/tasks/images/testing/host.ts';
import { task as language } from '#src/tasks/language/task.ts';
import { task as pairs } from '#src/tasks/pairs/task.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { trainTask } from '#src/tasks/testing/trainTask.ts';
import { task as texts } from '#src/tasks/text-classification/task.ts';
import type { Task } from '#src/tasks/types.ts';

interface Case {
  readonly task: Task;
  readonly model: FileSet;
  readonly train: string;
  readonly options?: object;
}

/** The files of both folders: a model's, and a tokenizer's. */
function together(a: FileSet, b: FileSet): FileSet {
  const of = (path: string): FileSet => (a.paths.includes(path) ? a : b);
  return {
    name: a.name,
    paths: [...new Set([...a.paths, ...b.paths.filter((p) => !p.endsWith('.onnx'))])].sort(),
    read: (path, ...range) => of(path).read(path, ...range),
    size: (path) => of(path).size(path),
  };
}

const model = (name: string): FileSet => diskFiles(`public/models/${name}`);
const zoo = (name: string): FileSet => diskFiles(`e2e/golden/zoo/${name}`);
const shapes = { task: images, train: 'new-shapes/train' };
const letters = { task: texts, train: 'letters/train' };

const cases: Readonly<Record<string, Case>> = {
  'convolutions (shapes), new head': { ...shapes, model: model('shapes'), options: { normalise: 'half' } },
  'ResNet, untrained, new head': { ...shapes, model: zoo('resnet18-ts17'), options: { side: 32 } },
  'ViT, untrained, new head': { ...shapes, model: zoo('vit-timm-dyn23') },
  'BERT (topics), new head': { ...letters, model: model('topics') },
  'BERT, untrained, new head': { ...letters, model: together(zoo('bert-cls-dyn18'), model('topics')) },
  'language model (stories)': {
    task: language,
    model: model('stories'),
    train: 'pirate-stories/train',
    options: { length: 32, newTokens: 2 },
  },
  'picture to picture (repaint)': { task: pairs, model: model('repaint'), train: 'sepia/train' },
  'dense layers (waves)': {
    task: arrays,
    model: model('waves'),
    train: 'turned-waves/train',
    options: { order: 'shuffled' },
  },
};

const nearest = (size: number) => ({ size, fit: 'nearest' as const });
const adapters: Readonly<Record<string, Plan>> = {
  'OFT, b ≈ 4': defaultPlan,
  'OFT, b ≈ 32': { ...defaultPlan, blocks: nearest(32) },
  'BOFT, b ≈ 8': { ...defaultPlan, algorithm: 'boft', blocks: { dim: 8 } },
  'COFT, b ≈ 4': { ...defaultPlan, constraint: 0.05 },
  'OFT + rescale': { ...defaultPlan, rescale: true },
  'PEFT, b ≈ 32': { ...peftSettings, blocks: nearest(32), rules: [] },
};
const rates = [1e-3, 3e-3, 1e-2, 3e-2];

/** Mean of the last five over the first, and the largest over the first. */
function course(losses: readonly number[]): { readonly end: number; readonly peak: number } {
  const last = losses.slice(-5);
  const start = losses[0]!;
  return { end: last.reduce((a, b) => a + b, 0) / last.length / start, peak: Math.max(...losses) / start };
}

const shown = ({ end, peak }: { end: number; peak: number }): string =>
  Number.isFinite(peak) ? `${end.toFixed(2)}${peak >= 1.5 ? ` (${peak.toFixed(1)})` : ''}` : 'not finite';

/**
 * Prints a table for each kind of model: by adapter and rate the loss at the end as a share of the first one, behind it the peak if it is
 * half as large again.
 * @param only cases whose name has this in it
 */
export async function main(steps = 40, only = ''): Promise<void> {
  for (const [name, one] of Object.entries(cases)) {
    if (!name.includes(only)) continue;
    console.log(`\n${name}\n${['adapter', ...rates].join('\t')}`);
    for (const [adapter, plan] of Object.entries(adapters)) {
      const row: string[] = [];
      for (const learningRate of rates) {
        const job = testJob(one.task.id, one.options ?? {}, { train: { steps, batch: 8 } });
        try {
          const { losses } = await trainTask({
            task: one.task,
            model: one.model,
            train: diskFiles(`public/data/${one.train}`),
            job,
            plan,
            learningRate,
            decodeImage: pngDecoder(),
          });
          row.push(shown(course(losses)));
        } catch (error) {
          row.push(error instanceof Error ? error.message.slice(0, 60) : String(error));
          break;
        }
      }
      console.log([adapter, ...row].join('\t'));
    }
  }
}
