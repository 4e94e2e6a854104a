/** @file Starts the page: state, worker client, link, service worker. Training itself is loaded when it is asked for. */
import './styles/base.css';
import { mount } from 'svelte';
import { defaultJob, parseJob } from '#src/formats/jobs/job.ts';
import { createAutomation } from '#src/app/page/automation.ts';
import { WorkerTrainer } from '#src/app/worker/client.ts';
import { Lab } from '#src/app/lab.svelte.ts';
import { BrowserBar } from '#src/app/page/router.svelte.ts';
import { watchLeaving } from '#src/app/page/leaving.ts';
import { Offline } from '#src/app/page/offline.svelte.ts';
import { tidyGiven } from '#src/app/worker/tidyGiven.ts';
import App from './App.svelte';

const target = document.querySelector('#app');
if (!target) throw new Error('index.html has no #app.');

const offline = new Offline();
const trainer = new WorkerTrainer(() => offline.inCharge());
const lab = new Lab(trainer, defaultJob, new BrowserBar());
globalThis.rotune = createAutomation(lab, parseJob);
const debug = new URLSearchParams(location.search).has('debug');
lab.begin();
mount(App, { target, props: { lab, offline, debug } });

void offline.register();
watchLeaving({
  busy: () => lab.run.busy,
  unsaved: () => lab.run.onlyHere,
  endWorker: () => trainer.close(),
  reload: () => location.reload(),
});
// The device is looked at once the first screen stands, on a busy machine without waiting until it is idle; Safari knows no idle callback.
const begin = () => {
  void lab.wakeUp();
  void tidyGiven();
};
if ('requestIdleCallback' in globalThis) requestIdleCallback(begin, { timeout: 1000 });
else setTimeout(begin, 200);
