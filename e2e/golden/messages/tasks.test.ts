/** @file Every task with its own example's model and data, mutated: files cut, renamed, exchanged and left out, rows spoiled, options wild. */
import { depth } from '#src/platform/testing/depth.ts';
import { describe, expect, it } from 'vitest';
import { writeSafetensors } from '#src/formats/files/safetensors.ts';
import type { DType } from '#src/onnx/model.ts';
import { sizeOf, tensor } from '#src/onnx/tensor.ts';
import { diskFiles, memoryFiles } from '#src/tasks/diffusion/testing/diskFiles.ts';
import { testHost } from '#src/tasks/images/testing/host.ts';
import { findTask } from '#src/tasks/registry.ts';
import { damaged, dice, type Dice } from '#src/tasks/testing/fuzz.ts';
import { testJob } from '#src/tasks/testing/job.ts';
import { openWhole } from '#src/tasks/testing/trainTask.ts';
import type { TaskProblem } from '#src/tasks/types.ts';
import { expectRefusal, expectShown } from './drive.ts';

type Files = Record<string, Uint8Array>;

/** A folder's first files of each of its own folders: mutations of few say as much. */
async function some(folder: string, most = 4): Promise<Files> {
  const all = diskFiles(folder);
  const counts = new Map<string, number>();
  const files: Files = {};
  for (const path of all.paths) {
    const place = path.slice(0, path.lastIndexOf('/') + 1);
    counts.set(place, (counts.get(place) ?? 0) + 1);
    if (counts.get(place)! <= most) files[path] = await all.read(path);
  }
  return files;
}

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

const spoiledCells = [
  '',
  '"',
  ',',
  'NaN',
  '-1',
  '99',
  'nobody',
  '\u0000',
  'ü'.repeat(40),
  '{"a":1}',
  '[]',
  'null',
];

/** Text with cells, lines and whole columns exchanged. */
function spoiledText(d: Dice, bytes: Uint8Array): Uint8Array {
  const lines = new TextDecoder().decode(bytes).split('\n').slice(0, 30);
  for (let i = 1 + d.whole(6); i > 0; i--) {
    const at = d.chance(0.3) ? 0 : d.whole(lines.length);
    const line = lines[at]!;
    const cut = d.whole(line.length + 1);
    lines[at] = d.pick([
      line.slice(0, cut),
      line.slice(0, cut) + d.pick(spoiledCells) + line.slice(cut),
      line.replace(/[^,":{}]+(?="?\}?\s*$)/, d.pick(spoiledCells)),
      d.pick(spoiledCells),
      line.replaceAll(/text|label|question|answer|prompt/g, d.pick(['x', '', 'file_name'])),
    ]);
  }
  return text(lines.join(d.pick(['\n', '\n', '\r\n'])));
}

const arrayTypes: readonly DType[] = ['float32', 'float64', 'int64', 'int32', 'bool', 'float16'];

/** Arrays of some names, types and shapes. */
function someArrays(d: Dice): Uint8Array {
  const names = ['x', 'y', 'input', 'target', 'z', 'strange name'];
  const count = d.whole(4);
  return writeSafetensors(
    new Map(
      Array.from({ length: count }, () => {
        const shape = Array.from({ length: d.whole(4) }, () => d.pick([0, 1, 2, 7, 16, 32]));
        const values = Array.from({ length: sizeOf(shape) }, () => d.pick([0, 1, -1, 5, NaN, 1e30]));
        const type = d.pick(arrayTypes);
        const fit =
          type === 'bool'
            ? values.map((v) => (v > 0 ? 1 : 0))
            : values.map((v) => (type.includes('int') && !Number.isFinite(v) ? 0 : v));
        return [d.pick(names), tensor(type, shape, fit)] as const;
      }),
    ),
  );
}

function mutated(d: Dice, files: Files): Files {
  const made: Files = {};
  for (const [path, bytes] of Object.entries(files)) {
    if (d.chance(0.1)) continue;
    const ending = /\.[^.]*$/.exec(path)?.[0] ?? '';
    const spoiled = !d.chance(0.4)
      ? bytes
      : /csv|jsonl?|txt/.test(ending) && d.chance(0.7)
        ? spoiledText(d, bytes)
        : ending === '.safetensors' && d.chance(0.7)
          ? someArrays(d)
          : damaged(d, bytes);
    const name = d.chance(0.15) ? path.replace(/[^/.]+\./, d.pick(['x.', 'über.', 'a b.', '1.'])) : path;
    made[d.chance(0.05) ? name.replace(ending, d.pick(['.txt', '.csv', '.heic', '.npz', ''])) : name] =
      spoiled;
  }
  if (d.chance(0.1)) made['web page.csv'] = text('<!DOCTYPE html><html><body>404</body></html>');
  return d.chance(0.05) ? {} : made;
}

interface Door {
  readonly id: string;
  readonly model: string;
  readonly data: string;
  readonly options: readonly object[];
}

const doors: readonly Door[] = [
  {
    id: 'generic',
    model: 'public/models/waves',
    data: 'public/data/turned-waves/train',
    options: [
      { loss: 'mse' },
      { loss: 'cross_entropy' },
      { loss: 'bce' },
      { loss: 'cosine' },
      { loss: 'model' },
      { output: 'none' },
    ],
  },
  {
    id: 'image-classification',
    model: 'public/models/shapes',
    data: 'public/data/new-shapes/train',
    options: [{}, { head: 'keep' }, { head: 'new' }],
  },
  {
    id: 'pairs',
    model: 'public/models/repaint',
    data: 'public/data/sepia/train',
    options: [{}, { loss: 'l1' }],
  },
  {
    id: 'language',
    model: 'public/models/stories',
    data: 'public/data/pirate-stories/train',
    options: [{}, { length: 3 }, { length: 100_000 }, { learn: 'all' }],
  },
  {
    id: 'text-classification',
    model: 'public/models/topics',
    data: 'public/data/letters/train',
    options: [{}, { head: 'keep' }, { length: 1_000_000 }, { length: 2 }],
  },
  { id: 'diffusion', model: 'e2e/golden/tiny-sd', data: 'public/data/new-shapes/train/moon', options: [{}] },
];

describe.each(doors)('$id', ({ id, model, data, options }) => {
  const task = findTask(id);

  it('with data that are spoiled', { timeout: 60_000 }, async () => {
    const files = await some(data);
    const own = diskFiles(model);
    let refused = 0;
    let problems = 0;
    /** Examples, where nothing was said against the data. */
    const counts: number[] = [];
    const runs = id === 'diffusion' ? depth(4, 10) : depth(8, 24);
    for (let seed = 1; seed <= runs; seed++) {
      const d = dice(seed);
      const train = memoryFiles(mutated(d, files), 'train');
      const heldout = d.chance(0.3) ? memoryFiles(mutated(d, files), 'heldout') : null;
      const job = testJob(id, d.pick(options), {
        data: { split: d.pick([0, 0.1, 0.5]) },
        train: { batch: d.pick([1, 4, 100]) },
        sample: { prompts: d.pick([[], ['a'], ['\u0000 💥']]) },
      });
      const what = `${id}, seed ${seed}`;
      let found: readonly TaskProblem[] = [];
      try {
        const prepared = await (
          await task.open(own, openWhole(own), job)
        ).prepare(train, heldout, testHost());
        found = prepared.problems.filter((p) => p.severity === 'error');
        if (found.length === 0) {
          prepared.training();
          counts.push(prepared.counts.train);
        }
      } catch (error) {
        expectRefusal(error, what);
        refused++;
      }
      for (const problem of found) expectShown(problem, what);
      problems += found.length;
    }
    expect(refused + problems).toBeGreaterThan(runs / 4);
    // To train on nothing is no success.
    expect(counts.filter((count) => count === 0)).toEqual([]);
  });

  it('with a model that is spoiled', { timeout: 60_000 }, async () => {
    const parts = await some(model, 20);
    let refused = 0;
    const runs = id === 'diffusion' ? 8 : 16;
    for (let seed = 101; seed < 101 + runs; seed++) {
      const d = dice(seed);
      const own = memoryFiles(
        Object.fromEntries(
          Object.entries(parts).flatMap(([path, bytes]) =>
            d.chance(0.15) ? [] : [[path, d.chance(0.5) ? damaged(d, bytes) : bytes] as const],
          ),
        ),
        'model',
      );
      try {
        await task.open(own, openWhole(own), testJob(id, d.pick(options)));
      } catch (error) {
        expectRefusal(error, `${id}, seed ${seed}`);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(runs / 4);
  });
});
