/** @file The page with the fake trainer, set up from the query: `pace`, `unfinished`, `failAt`, `gpu`, `warn`, `columns`, `layers`; or in a `state` by name. */
import '../styles/base.css';
import { mount } from 'svelte';
import { createAutomation } from '#src/app/page/automation.ts';
import { Lab } from '#src/app/lab.svelte.ts';
import { BrowserBar } from '#src/app/page/router.svelte.ts';
import { Offline } from '#src/app/page/offline.svelte.ts';
import { fakeSummary } from '#src/app/testing/fakeLibrary.ts';
import { drawDisc, drawFromStrip, FakeTrainer } from '#src/app/testing/fakeTrainer.ts';
import { manyLayers } from '#src/app/testing/fakeLayers.ts';
import App from '../App.svelte';
import { reachState, states } from './states.ts';
import { defaultJob, parseJob } from '#src/formats/jobs/job.ts';

async function fakeFromQuery(query: URLSearchParams): Promise<FakeTrainer> {
  const draw = await drawFromStrip('demo-strip.png', Number(query.get('columns') ?? 8)).catch(() => drawDisc);
  const trainer = new FakeTrainer({
    draw,
    layers: query.has('layers') ? manyLayers(Number(query.get('layers'))) : undefined,
    pace: Number(query.get('pace') ?? 40),
    failAt: query.has('failAt') ? Number(query.get('failAt')) : undefined,
    backend: query.has('gpu')
      ? { kind: 'webgpu', reason: 'WebGPU works here.', threads: 4, adapter: 'example GPU' }
      : undefined,
    unfinished: query.has('unfinished')
      ? fakeSummary({
          id: 'fake',
          job: defaultJob,
          step: 50,
          savedAt: Date.now() - 130_000,
          finished: false,
          modelName: 'emoji',
          dataName: 'riso',
          selfContained: true,
          losses: Array.from({ length: 50 }, (_, i) => 0.15 + 0.14 * Math.exp(-i / 12)),
        })
      : null,
    problems: query.has('warn')
      ? [
          {
            severity: 'error',
            code: 'bad-data',
            message: 'The picture “fox.png” cannot be read.',
            item: 'fox.png',
            cure: 'Take it out of the folder, or save it again as PNG.',
          },
          {
            severity: 'warning',
            code: 'bad-job',
            message: 'Rule 2 (name = "*attn9*") matches no layer.',
            item: 'rule 2',
            cure: 'Remove it, or use "*attn2*".',
          },
        ]
      : [],
  });
  trainer.promptIndex = (prompt) => {
    const at = defaultJob.sample.prompts.indexOf(prompt);
    return at < 0 ? undefined : at;
  };
  return trainer;
}

const target = document.querySelector('#app');
if (!target) throw new Error('index.html has no #app.');
const query = new URLSearchParams(location.search);
const asked = query.get('state');
const state = asked === null ? null : states[asked];
const trainer = state ? new FakeTrainer({ pace: 1, ...state.options }) : await fakeFromQuery(query);
const lab = new Lab(trainer, state?.job ?? defaultJob, new BrowserBar());
globalThis.rotune = createAutomation(lab, parseJob);
mount(App, { target, props: { lab, offline: new Offline() } });
lab.begin();
if (asked !== null && state) await reachState(asked, { lab, trainer });
else await lab.wakeUp();
document.documentElement.dataset.reached = asked ?? 'the page';
