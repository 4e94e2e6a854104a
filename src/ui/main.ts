/** @file Starts the page: state, worker client, link, service worker. Training itself is loaded when it is asked for. */
import './styles/base.css';
import { mount } from 'svelte';
import { defaultJob, parseJob } from '#src/formats/jobs/job.ts';
import { createAutomation } from '#src/app/page/automation.ts';
import { WorkerTrainer } from '#src/app/worker/client.ts';
import { Lab } from '#src/app/lab.svelte.ts';
import { readLink, reloadWithLink } from '#src/app/sharing/links.ts';
import { watchLeaving } from '#src/app/page/leaving.ts';
import { Offline } from '#src/app/page/offline.svelte.ts';
import App from './App.svelte';

const target = document.querySelector('#app');
if (!target) throw new Error('index.html has no #app.');

const trainer = new WorkerTrainer();
const lab = new Lab(trainer, defaultJob);
const offline = new Offline(() => reloadWithLink(lab));
globalThis.rotune = createAutomation(lab, parseJob);
const debug = new URLSearchParams(location.search).has('debug');
mount(App, { target, props: { lab, offline, debug } });

void offline.register();
void readLink(lab);
watchLeaving({
  busy: () => lab.run.busy,
  endWorker: () => trainer.close(),
  reload: () => location.reload(),
});
// A link that is put into the address bar of an open page changes the hash alone.
addEventListener('hashchange', () => void readLink(lab));
// The device is looked at once the first screen stands; Safari knows no idle callback.
if ('requestIdleCallback' in globalThis) requestIdleCallback(() => void lab.wakeUp());
else setTimeout(() => void lab.wakeUp(), 200);
