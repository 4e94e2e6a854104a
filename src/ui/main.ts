/** @file Starts the page: state, worker client, link, service worker. Training itself is loaded when it is asked for. */
import './styles/base.css';
import { mount } from 'svelte';
import { defaultJob, parseJob } from '#src/formats/job.ts';
import { createAutomation } from '#src/app/automation.ts';
import { WorkerTrainer, type Trainer } from '#src/app/client.ts';
import { Lab } from '#src/app/lab.svelte.ts';
import { readLink } from '#src/app/links.ts';
import { Offline } from '#src/app/offline.svelte.ts';
import App from './App.svelte';

/** While designing, `?fake` shows the page with a trainer that needs no worker. No part of it reaches a build. */
async function chooseTrainer(): Promise<Trainer> {
  if (import.meta.env.DEV) {
    const query = new URLSearchParams(location.search);
    if (query.has('fake')) return (await import('#src/app/testing/designing.ts')).fakeFromQuery(query);
  }
  return new WorkerTrainer();
}

const target = document.querySelector('#app');
if (!target) throw new Error('index.html has no #app.');

const offline = new Offline();
const lab = new Lab(await chooseTrainer(), defaultJob);
globalThis.rotune = createAutomation(lab, parseJob);
mount(App, { target, props: { lab, offline } });

void offline.register();
void readLink(lab);
// The device is looked at once the first screen stands.
const idle = globalThis.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 200));
idle(() => void lab.wakeUp());
