/** @file Jobs after one another in one page: what was kept of one (programs, constants, data made ready) must not show in the next. Each is held to a fresh page. */
import 'fake-indexeddb/auto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { jobFromTable } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { depth } from '#src/platform/testing/depth.ts';
import { random } from '#src/tasks/random.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import type { JobRequest, Source } from '../protocol.ts';
import type { Session } from './session.ts';
import { publicFetch } from './testing/publicFetch.ts';
import { adapterBytes, Lab, timeless, tinyRequest, value } from './testing/sessions.ts';

beforeAll(() => vi.stubGlobal('fetch', publicFetch()));
afterAll(() => vi.unstubAllGlobals());

const builtin = (name: string): Source => ({ kind: 'builtin', id: name.replace('builtin:', '') });

/** As short as a run can be; of diffusion on the tiny model. */
const requests: readonly { readonly id: string; readonly request: JobRequest }[] = taskInfos.map(
  ({ id, examples: [example] }) => {
    if (id === 'diffusion') return { id, request: tinyRequest() };
    const job = jobFromTable(example!.job);
    const { model, data } = job;
    return {
      id,
      request: {
        job,
        model: builtin(model),
        train: builtin(data.train),
        heldout: data.heldout === null ? null : builtin(data.heldout),
        backend: 'wasm',
      },
    };
  },
);

/** Something that a person may change between two runs. */
const changes: readonly ((job: Job, request: JobRequest) => [Job, Partial<JobRequest>])[] = [
  (job) => [{ ...job, train: { ...job.train, batch: 1 } }, {}],
  (job) => [{ ...job, train: { ...job.train, batch: 3 } }, {}],
  (job) => [{ ...job, train: { ...job.train, batch: 2, accumulate: 2 } }, {}],
  (job) => [{ ...job, train: { ...job.train, seed: job.train.seed + 1 } }, {}],
  (job) => [{ ...job, train: { ...job.train, recompute: true } }, {}],
  (job) => [{ ...job, data: { ...job.data, heldout: null } }, { heldout: null }],
  (job) => [{ ...job, plan: { ...job.plan, side: job.plan.side === 'input' ? 'output' : 'input' } }, {}],
  (job) => [{ ...job, sample: { ...job.sample, seed: job.sample.seed + 1 } }, {}],
];

async function trained(session: Session, request: JobRequest) {
  const result = value(await session.start(request, () => undefined));
  return {
    losses: timeless(result),
    evaluations: result.evaluations,
    adapter: await adapterBytes(session, request.job.plan.side === 'input' ? 'peft' : 'lycoris'),
  };
}

let serial = 0;
const fresh = (): Session => new Lab(`sequences-${serial++}`).newSession();

const few = new Set(['generic', 'language']);
it.each(requests.filter(({ id }) => depth(few.has(id), true)))(
  '$id trains after other jobs as in a fresh page',
  async ({ id, request }) => {
    const one = fresh();
    const draw = random(depth(1, 2), `sequence ${id}`, 0);
    let { job } = request;
    let more: Partial<JobRequest> = {};
    job = {
      ...job,
      train: { ...job.train, steps: 2, warmup: 0 },
      sample: { ...job.sample, prompts: job.sample.prompts.slice(0, 2), steps: 2, every: 0 },
    };
    const told: string[] = [];
    for (let i = 0; i < depth(3, 8); i++) {
      const asked = { ...request, ...more, job };
      const [here, there] = [await trained(one, asked), await trained(fresh(), asked)];
      told.push(JSON.stringify(job.train));
      expect(here, told.join('\n')).toEqual(there);
      const [changed, also] = changes[Math.floor(draw.uniform(1)[0]! * changes.length)]!(job, request);
      job = changed;
      more = { ...more, ...also };
    }
  },
  120_000,
);
