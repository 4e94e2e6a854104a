/** @file The trainer worker in a real browser on wasm: run, kill, resume, export. */
import { proxy, wrap } from 'comlink';
import { afterEach, describe, expect, it } from 'vitest';
import { recordsOf } from '#src/training/steps.ts';
import { defaultJob } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { lastRun } from '#src/app/worker/firstLook.ts';
import { drawSvg } from '#src/app/worker/svg.ts';
import { readSafetensors } from '#src/formats/files/safetensors.ts';
import { depth } from '#src/platform/testing/depth.ts';
import type { JobRequest, Outcome, RunEvent, RunResult, WorkerApi } from './protocol.ts';

const job: Job = {
  ...defaultJob,
  data: { ...defaultJob.data, heldout: null },
  train: {
    ...defaultJob.train,
    steps: 3,
    warmup: 0,
    batch: 1,
    checkpointSteps: 1,
    checkpointSeconds: 1000,
  },
  plan: {
    ...defaultJob.plan,
    rules: [{ match: { name: 'up_blocks.2*' } }, { match: { name: '*' }, skip: true }],
  },
  sample: { ...defaultJob.sample, prompts: ['ghost'], steps: 2, every: 0 },
};

const request: JobRequest = {
  job,
  model: { kind: 'builtin', id: 'emoji' },
  train: { kind: 'builtin', id: 'high-contrast/train' },
  heldout: null,
  backend: 'wasm',
};

let stop: (() => void)[] = [];

/** A worker of its own, with what a killed tab leaves behind: nothing but storage. */
function open() {
  const worker = new Worker(new URL('./trainer.worker.ts', import.meta.url), { type: 'module' });
  const api = wrap<WorkerApi>(worker);
  const kill = (): void => worker.terminate();
  stop.push(kill);
  return { api, kill };
}

function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok)
    throw new Error(`${outcome.problem.code}: ${outcome.problem.message} ${outcome.problem.detail ?? ''}`);
  return outcome.value;
}

const losses = (result: RunResult) => recordsOf(result.history).map((r) => [r.step, r.loss, r.gradNorm]);

afterEach(() => {
  for (const kill of stop) kill();
  stop = [];
});

describe('the trainer worker', () => {
  // The same of the whole page: e2e/specs/resume.spec.ts.
  it.each(depth([], ['killed in between']))(
    'gives the same adapter whether or not it was %s',
    async () => {
      const whole = open();
      const events: RunEvent[] = [];
      const result = value(
        await whole.api.start(
          request,
          proxy((event: RunEvent) => void events.push(event)),
        ),
      );
      expect(result).toMatchObject({ outcome: 'finished', step: 3, backend: { kind: 'wasm' } });
      expect(result.placement.nodes).toBeGreaterThan(100);
      expect(events.filter((e) => e.kind === 'samples').map((e) => e.step)).toEqual([0, 3]);
      const exported = value(await whole.api.exportAdapter('lycoris'));
      expect([...readSafetensors(exported.bytes).tensors.keys()]).toContain(
        'lycoris_up_blocks_2_resnets_0_conv1.oft_blocks',
      );
      const { pictures: shown } = value(
        await whole.api.sample({
          prompts: ['ghost'],
          seed: job.sample.seed,
          steps: 2,
          guidance: 1,
          strength: 1,
        }),
      );
      const last = events.findLast((e) => e.kind === 'samples');
      expect(shown[0]?.rgba).toEqual(last?.pictures[0]?.rgba);
      await whole.api.discard(result.id);

      const first = open();
      await new Promise<void>((resolve) => {
        void first.api.start(
          request,
          proxy((event: RunEvent) => {
            if (event.kind === 'checkpoint' && event.step === 1) {
              first.kill();
              resolve();
            }
          }),
        );
      });
      const second = open();
      const left = await lastRun(second.api);
      expect(left?.finished).toBe(false);
      expect(left?.step).toBeGreaterThanOrEqual(1);
      expect(left?.id).not.toBe(result.id);
      const resumed = value(
        await second.api.start(
          request,
          proxy(() => undefined),
          left?.id,
        ),
      );
      expect(losses(resumed)).toEqual(losses(result));
      expect(value(await second.api.exportAdapter('lycoris')).bytes).toEqual(exported.bytes);
      await second.api.discard(resumed.id);
      expect(await lastRun(second.api)).toBeNull();
    },
    120_000,
  );

  it('prepares SVGs where the page lends it a hand, and names them where it does not', async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="4" height="8"/></svg>';
    const train = {
      kind: 'files' as const,
      name: 'icons',
      files: [{ path: 'bar.svg', blob: new Blob([svg]) }],
    };
    const { api } = open();
    const alone = value(await api.prepare({ ...request, train }, false));
    expect(alone.problems.map(({ message }) => message).join()).toMatch(
      /bar\.svg cannot be read .*drawn by the page/,
    );
    const helped = open();
    await helped.api.lendSvg(proxy(drawSvg));
    const { problems, preview } = value(await helped.api.prepare({ ...request, train }, false));
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    const { picture } = preview.items[0]!;
    expect([picture!.width, picture!.rgba[0], picture!.rgba[4 * 31]]).toEqual([32, 0, 255]);
  }, 120_000);

  it('reads pictures as the browser does: centre, white behind, exact where nothing is to be scaled', async () => {
    const { imageDecoder } = await import('./trainer/data/images.ts');
    const decodeImage = imageDecoder(() => null);
    const canvas = new OffscreenCanvas(6, 4);
    const context = canvas.getContext('2d')!;
    context.fillStyle = 'rgb(10, 100, 200)';
    context.fillRect(1, 0, 2, 4);
    context.fillStyle = 'rgb(250, 5, 33)';
    context.fillRect(3, 0, 1, 4);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
    const { rgba } = await decodeImage(bytes, 'a.png', { width: 4, height: 4 });
    const row = (c: number) => [0, 1, 2, 3].map((x) => rgba[4 * x + c]);
    expect([row(0), row(1), row(2)]).toEqual([
      [10, 10, 250, 255],
      [100, 100, 5, 255],
      [200, 200, 33, 255],
    ]);
    const half = await decodeImage(bytes, 'a.png', { width: 2, height: 2 });
    expect(half.rgba).toHaveLength(16);
    expect(await decodeImage(bytes, 'a.png')).toMatchObject({ width: 6, height: 4 });
    await expect(decodeImage(Uint8Array.of(1, 2, 3), 'b.png')).rejects.toThrow(/no image that is known/);
  });
});
