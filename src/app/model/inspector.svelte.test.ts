import { describe, expect, it } from 'vitest';
import type { Inspection, Look } from '#workers/inspection/types.ts';
import type { Outcome, Source } from '#workers/protocol.ts';
import { holdsModel, Inspector } from './inspector.svelte.ts';
import { fakeInspection } from '../testing/fakeInspection.ts';

const source = (...paths: string[]): Source => ({
  kind: 'files',
  name: 'mine',
  files: paths.map((path) => ({ path, blob: new Blob() })),
});

/** A trainer whose answers come when the test lets them. */
function slow() {
  const asked: { look: Look | undefined; answer: (outcome: Outcome<Inspection>) => void }[] = [];
  return {
    asked,
    inspect: (_: Source, look?: Look) =>
      new Promise<Outcome<Inspection>>((answer) => asked.push({ look, answer })),
  };
}
/** Of a size that is not read through unasked. */
const good = (look?: Look): Outcome<Inspection> => ({
  ok: true,
  value: { ...fakeInspection('mine', look), bytes: 2e9 },
});

describe('Inspector', () => {
  it('shows the first model, then the chosen file', async () => {
    const trainer = slow();
    const inspector = new Inspector(trainer);
    const opened = inspector.open(source('unet/model.onnx'));
    expect([inspector.looking, inspector.name, inspector.file]).toEqual(['reading', 'mine', null]);
    trainer.asked[0]?.answer(good());
    await opened;
    expect(inspector.looking).toBe('no');
    expect(inspector.file?.path).toBe('unet/model.onnx');
    inspector.choose('broken.onnx');
    expect(inspector.file?.kind).toBe('refused');
  });

  it('binds sizes, keeps those of other files, and takes them back', async () => {
    const trainer = slow();
    const inspector = new Inspector(trainer);
    const answer = async (work: Promise<void>) => {
      trainer.asked.at(-1)?.answer(good());
      await work;
    };
    await answer(inspector.open(source('a.onnx')));
    await answer(inspector.bind('a', 'batch', 2));
    await answer(inspector.bind('b', 'batch', 3));
    await answer(inspector.bind('a', 'width', 8));
    expect(trainer.asked.at(-1)?.look?.dims).toEqual({ a: { batch: 2, width: 8 }, b: { batch: 3 } });
    await answer(inspector.bind('a', 'batch', null));
    expect(trainer.asked.at(-1)?.look?.dims).toEqual({ a: { width: 8 }, b: { batch: 3 } });
    await answer(inspector.open(source('c.onnx')));
    expect(trainer.asked.at(-1)?.look?.dims).toEqual({});
  });

  it('has small files read through for their SHA-256, large ones on request', async () => {
    const trainer = slow();
    const inspector = new Inspector(trainer);
    const hashOf = () => (inspector.file?.kind === 'model' ? inspector.file.hash : undefined);
    const opened = inspector.open(source('a.onnx'));
    trainer.asked[0]?.answer(good());
    await opened;
    expect([trainer.asked.length, hashOf()]).toEqual([1, null]);
    const identified = inspector.identify();
    expect([inspector.identifying, trainer.asked[1]?.look?.identity]).toEqual([true, true]);
    trainer.asked[1]?.answer(good({ identity: true }));
    await identified;
    expect([inspector.identifying, hashOf()]).toEqual([false, 'f00d'.repeat(16)]);

    const small = inspector.open(source('b.onnx'));
    const answer = good({ identity: true });
    trainer.asked[2]?.answer({ ok: true, value: fakeInspection('mine') });
    await expect.poll(() => trainer.asked).toHaveLength(4);
    trainer.asked[3]?.answer(answer);
    await small;
    expect(hashOf()).toBe('f00d'.repeat(16));
  });

  it('drops an answer that a newer question overtook', async () => {
    const trainer = slow();
    const inspector = new Inspector(trainer);
    const first = inspector.open(source('a.onnx'));
    const second = inspector.open(source('b.onnx'));
    trainer.asked[0]?.answer({ ok: false, problem: { code: 'bad-data', message: 'old' } });
    await first;
    expect([inspector.problem, inspector.looking]).toEqual([null, 'reading']);
    trainer.asked[1]?.answer(good());
    await second;
    expect(inspector.inspection?.name).toBe('mine');
  });

  it('keeps what it knew where other sizes failed as a whole', async () => {
    const trainer = slow();
    const inspector = new Inspector(trainer);
    const opened = inspector.open(source('a.onnx'));
    trainer.asked[0]?.answer(good());
    await opened;
    const bound = inspector.bind('a', 'batch', 2);
    trainer.asked[1]?.answer({ ok: false, problem: { code: 'internal', message: 'no' } });
    await bound;
    expect(inspector.problem?.message).toBe('no');
    expect(inspector.inspection).not.toBeNull();
  });
});

it('knows a model among dropped files', () => {
  expect(holdsModel(source('deep/Model.ONNX', 'weights.bin'))).toBe(true);
  expect(holdsModel(source('model.zip'))).toBe(true);
  expect(holdsModel(source('cat.png', 'cat.txt'))).toBe(false);
  expect(holdsModel({ kind: 'builtin', id: 'emoji' })).toBe(false);
});
