/** @file What each task makes of things that a person tries it with: the same as of the same things as data. */
import { describe, expect, it } from 'vitest';
import { tensor } from '#src/onnx/tensor.ts';
import { parameterLayout } from '#src/oft/rotation/parameters.ts';
import { readNpy, writeNpy } from './arrays/npy.ts';
import { readNpz, writeNpz } from './arrays/npz.ts';
import { decodePngImage } from './diffusion/testing/decodePng.ts';
import { diskFiles, memoryFiles } from './diffusion/testing/diskFiles.ts';
import type { FileSet } from './files.ts';
import { findTask } from './registry.ts';
import { taskBench } from './testing/bench.ts';
import { testJob } from './testing/job.ts';
import { openWhole } from './testing/trainTask.ts';
import type { Answers, Question, Samples, TaskEvaluation } from './types.ts';

const still = (): void => undefined;

/** The untouched model: what it says of data and of questions. */
async function untouched(
  name: string,
  [model, train, heldout]: readonly [string, string, string],
  question: Partial<Question>,
  batch = 4,
): Promise<{ said: Answers; samples: Samples; judged: TaskEvaluation }> {
  const bench = await taskBench(decodePngImage);
  try {
    const files = diskFiles(`public/models/${model}`);
    const job = testJob(name, {}, { train: { batch } });
    const opened = await findTask(name).open(files, openWhole(files), job);
    const prepared = await opened.prepare(
      diskFiles(`public/data/${train}`),
      diskFiles(`public/data/${heldout}`),
      bench.host,
    );
    prepared.training();
    await prepared.warm(bench.host);
    const layout = parameterLayout([], []);
    const adapted = bench.adapted(layout, new Float32Array(0));
    const asked = { files: null, texts: [], seed: 0, ...question };
    return {
      said: await opened.ask!(asked, adapted, bench.host, still),
      samples: await prepared.samples(adapted, bench.host, still),
      judged: await prepared.evaluate(adapted, bench.host, still),
    };
  } finally {
    await bench.dispose();
  }
}

/** Some files of a folder, under new names. */
async function some(files: FileSet, pick: RegExp, extra: Record<string, Uint8Array> = {}): Promise<FileSet> {
  const found: Record<string, Uint8Array> = {};
  for (const path of files.paths) if (pick.test(path)) found[path] = await files.read(path);
  return memoryFiles({ ...found, ...extra });
}

describe('pairs', () => {
  it('make the very picture that the wall shows of the same input, whatever the batch', async () => {
    const heldout = diskFiles('public/data/sepia/heldout');
    const given = await some(heldout, /input.*\.png$/);
    const { said, samples } = await untouched('pairs', ['repaint', 'sepia/train', 'sepia/heldout'], {
      files: given,
    });
    expect(said.items.map(({ name }) => name)).toEqual(given.paths);
    const at = said.items.findIndex(({ name }) => samples.prompts[0]!.endsWith(name));
    const { made, picture } = said.items[at]!;
    const row = samples.pictures[0]!;
    // On the wall: input, made and target side by side, two white pixels between.
    for (let y = 0; y < made!.height; y += 3)
      for (let x = 0; x < made!.width; x += 3)
        for (let c = 0; c < 3; c++) {
          expect(made!.rgba[4 * (y * made!.width + x) + c]).toBe(
            row.rgba[4 * (y * row.width + picture!.width + 2 + x) + c],
          );
          expect(picture!.rgba[4 * (y * picture!.width + x) + c]).toBe(row.rgba[4 * (y * row.width + x) + c]);
        }
  });
});

describe('pictures', () => {
  it('that cannot be read are answers, too; none at all is an error', async () => {
    const heldout = diskFiles('public/data/sepia/heldout');
    const given = await some(heldout, /input\/[^/]*\.png$/, { 'broken.png': new Uint8Array([1, 2, 3]) });
    const example = ['repaint', 'sepia/train', 'sepia/heldout'] as const;
    const { said } = await untouched('pairs', example, { files: given });
    expect(said.items.find(({ name }) => name === 'broken.png')?.unread).toBeTruthy();
    expect(said.items.filter(({ made }) => made)).toHaveLength(given.paths.length - 1);
    await expect(untouched('pairs', example, { files: memoryFiles({}) })).rejects.toThrow(/has no picture/);
  });
});

describe('arrays', () => {
  it('give every output row by row, whatever the batch', async () => {
    const heldout = diskFiles('public/data/turned-waves/heldout');
    const example = ['waves', 'turned-waves/train', 'turned-waves/heldout'] as const;
    const one = await untouched('generic', example, { files: heldout }, 1);
    const five = await untouched('generic', example, { files: heldout }, 5);
    const outputs = [...one.said.arrays!];
    expect(outputs.length).toBeGreaterThan(0);
    for (const [name, { shape, data }] of outputs) {
      const other = five.said.arrays!.get(name)!;
      expect(other.shape).toEqual(shape);
      data.forEach((x: number | bigint, i: number) =>
        expect(Math.abs(Number(x) - Number(other.data[i]))).toBeLessThan(1e-5),
      );
    }
    const first = Number(Number(outputs[0]![1].data[0]).toPrecision(3));
    expect(one.samples.texts![0]!.split('  ')[0]).toBe(String(first));
  });

  it('that the model does not take are refused with the reason', async () => {
    const example = ['waves', 'turned-waves/train', 'turned-waves/heldout'] as const;
    const wrong = memoryFiles({ 'a.npy': writeNpy(tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6])) });
    await expect(untouched('generic', example, { files: wrong })).rejects.toThrow(
      /no array for|does not fit/,
    );
  });

  it('are written as NumPy reads them', async () => {
    for (const shape of [[], [3], [2, 3], [2, 1, 2]]) {
      const n = shape.reduce((a, b) => a * b, 1);
      for (const type of ['float32', 'int32', 'int64', 'uint8'] as const) {
        const made = tensor(
          type,
          shape,
          Array.from({ length: n }, (_, i) => i + 1),
        );
        const bytes = writeNpy(made);
        expect(await readNpy(bytes)).toEqual(made);
        const header = new DataView(bytes.buffer).getUint16(8, true);
        expect((header + 10) % 64).toBe(0);
        expect(bytes[header + 9]).toBe('\n'.charCodeAt(0));
        expect(await readNpz(await writeNpz(new Map([['y', made]])))).toEqual(new Map([['y', made]]));
      }
    }
  });
});

describe('texts', () => {
  it('have shares that add up, and the class that the wall says', async () => {
    const texts = ['The striker scored in the last minute.', 'Please refund my order.'];
    const { said } = await untouched('text-classification', ['topics', 'letters/train', 'letters/heldout'], {
      texts,
      newHead: false,
    });
    expect(said.items.map(({ name }) => name)).toEqual(texts);
    for (const { shares } of said.items) {
      expect(shares!.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 5);
      expect(shares!.map(({ share }) => share)).toEqual(
        shares!.map(({ share }) => share).toSorted((a, b) => b - a),
      );
    }
  });
});
