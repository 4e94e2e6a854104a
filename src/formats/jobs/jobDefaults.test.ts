/** @file What a job leaves out: from the task and the model's files, and from a built-in example only with its own model and data. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usualRate } from '#src/oft/plan/rates.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import { defaultJob, jobFromTable, rebased, usualRateOf } from './job.ts';
import type { Job } from './jobTypes.ts';
import { defaultPlan } from '../plans/plan.ts';

const ids = taskInfos.map(({ id }) => id);
const info = (id: string) => taskInfos.find((one) => one.id === id)!;

describe.each(ids)('what a job for %s leaves out', (task) => {
  const example = jobFromTable({ task });
  const own = jobFromTable({ task, model: 'mine', data: { train: 'pictures' } });

  it('has nothing of the example where model and data are one’s own', () => {
    expect(own.options).toEqual(info(task).defaults);
    expect(own.data).toMatchObject({ train: 'pictures', heldout: null, split: 0.1, flip: false });
    expect(own.train.learningRate).toBe(usualRateOf(own));
    expect(own.sample.prompts).toEqual([]);
    expect(own.plan).toEqual(defaultPlan);
    // Whatever the example is, it is not looked at.
    const other = jobFromTable({ task, model: 'mine' });
    expect({ ...other, data: null }).toEqual({ ...own, data: null });
  });

  it('has what was measured on the example’s model, but not what fits its data, where only the data are one’s own', () => {
    const data = jobFromTable({ task, data: { train: 'pictures' } });
    expect(data).toMatchObject({ model: example.model, train: example.train, options: example.options });
    expect(data.data).toMatchObject({ train: 'pictures', heldout: null, flip: false });
  });

  it('is the same whether the example’s names are said or not', () => {
    const { model, data } = example;
    const said = { train: data.train, heldout: data.heldout ?? '' };
    expect(jobFromTable({ task, model, data: said })).toEqual(example);
  });

  it('keeps whatever is said', () => {
    const said = { learning_rate: 0.01, steps: 7, batch: 3 };
    const job = jobFromTable({ task, model: 'mine', train: said, data: { flip: true } });
    expect(job.train).toMatchObject({ learningRate: 0.01, steps: 7, batch: 3, warmup: 1 });
    expect(job.data.flip).toBe(true);
  });

  it('goes with the model and back on the page, without what was chosen', () => {
    const named = (job: Job, model: string): Job => rebased({ ...job, model }, job);
    fc.assert(
      fc.property(
        fc.record({
          steps: fc.integer({ min: 1, max: 999 }),
          learningRate: fc.constantFrom(0.0123, example.train.learningRate),
          seed: fc.nat(9),
        }),
        (train) => {
          const chosen: Job = { ...example, train: { ...example.train, ...train } };
          const away = named(chosen, 'mine');
          expect(away.options).toEqual(info(task).defaults);
          for (const [key, x] of Object.entries(train))
            if (x !== example.train[key as keyof Job['train']])
              expect(away.train[key as keyof Job['train']]).toBe(x);
          if (train.learningRate === example.train.learningRate)
            expect(away.train.learningRate).toBe(usualRateOf(away));
          const back = named(away, example.model);
          expect(back.options).toEqual(chosen.options);
          expect(back.train.learningRate).toBe(chosen.train.learningRate);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('the learning rate', () => {
  const job = jobFromTable({ task: 'pairs', model: 'mine' });
  it.each([
    ['larger blocks', { ...defaultPlan, blocks: { size: 32 } }],
    ['BOFT', { ...defaultPlan, algorithm: 'boft' as const, blocks: { dim: 8 } }],
    ['blocks by count', { ...defaultPlan, blocks: { count: 4 } }],
  ])('is less for %s, in files and when a plan is edited', (_, plan) => {
    const rate = usualRate(plan);
    expect(rate).toBeLessThan(usualRate(defaultPlan));
    expect(rebased({ ...job, plan }, job).train.learningRate).toBe(rate);
    const chosen = { ...job, train: { ...job.train, learningRate: 0.007 } };
    expect(rebased({ ...chosen, plan }, chosen).train.learningRate).toBe(0.007);
    // The demo's was measured on its model.
    expect(rebased({ ...defaultJob, plan }, defaultJob).train).toEqual(defaultJob.train);
  });

  it('fits all sides alike where the rate is scaled by the block', () => {
    const job = jobFromTable({ task: 'generic', model: 'mine', train: { blockwise_rate: true } });
    expect(job.train.learningRate / (2 * Math.sqrt(3))).toBeCloseTo(usualRate(defaultPlan), 4);
  });

  it('never rises with the side', () => {
    const rates = [2, 4, 8, 16, 32, 64, 512].map((size) => usualRate({ ...defaultPlan, blocks: { size } }));
    expect(rates).toEqual([...rates].sort((a, b) => b - a));
  });
});
