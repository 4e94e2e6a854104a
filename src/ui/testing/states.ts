/** @file Every state of every view that a person can come to, by name: for axe, for pictures of the page, and for designing (`?state=NAME`). */
import { PASTED } from '#src/app/data/pasted.ts';
import { toSource } from '#src/app/data/picked.ts';
import { fakeInspection } from '#src/app/testing/fakeInspection.ts';
import { fakeSummary } from '#src/app/testing/fakeLibrary.ts';
import { drawDisc, type FakeOptions } from '#src/app/testing/fakeTrainer.ts';
import { defaultJob, jobFromTable } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { tensor } from '#src/onnx/tensor.ts';
import { writeNpz } from '#src/tasks/arrays/npz.ts';
import { storeError } from '#src/store/errors.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import { find, give, pictures, press, type Stage, until } from './stage.ts';

export interface State {
  readonly options?: FakeOptions;
  readonly job?: Job;
  /** Of a phone alone, which folds what few people need: reached on one. */
  readonly narrow?: true;
  /** Goes there; ends when it is reached. */
  readonly reach: (stage: Stage) => Promise<unknown>;
}

const job: Job = {
  ...defaultJob,
  train: { ...defaultJob.train, steps: 8 },
  sample: { ...defaultJob.sample, every: 2 },
};
/** Longer than anyone looks. */
const long: Job = { ...job, train: { ...job.train, steps: 30_000 } };

const words: FakeOptions['says'] = {
  prompts: ['A day of sun, and all the time in the world to see what it comes to.', 'Not again.'],
  words: (_, amount) => (amount > 0.5 ? 'good 91 %' : 'bad 55 %'),
  judged: (amount) => ({
    metrics: [{ name: 'accuracy', value: 0.5 + amount / 4, unit: 'share', better: 'higher' }],
    tables: [
      {
        title: 'Confusion',
        columns: ['is, and is called', 'good', 'bad'],
        rows: [
          ['good', '5', '1'],
          ['bad', '2', '4'],
        ],
      },
    ],
    examples: [
      { name: 'moon/2.png', is: 'moon', says: 'moon', share: 0.8 },
      { name: 'sun/1.png', is: 'sun', says: 'moon', share: 0.9 },
    ],
  }),
};

const standings = (['paused', 'stopped', 'failed', 'finished', 'running'] as const).map((state, i) =>
  fakeSummary({
    id: `run-${state}`,
    job: i === 3 ? jobFromTable({ task: 'text-classification' }) : job,
    state,
    step: state === 'finished' ? 8 : 3,
    finished: state === 'finished' || state === 'stopped',
    savedAt: Date.now() - (i + 1) * 4_000_000,
    pictures: i === 3 ? [] : [0, 1, 2, 3].map((n) => drawDisc(n, 0.8, 1)),
    texts: i === 3 ? ['How do I get there? question', 'Not again. complaint'] : [],
    measure: i === 3 ? { name: 'accuracy', first: 0.4, value: 0.83, unit: 'share', better: 'higher' } : null,
    losses: [0.3, 0.24, 0.2, 0.19],
  }),
);

async function withRuns({ lab, trainer }: Stage): Promise<void> {
  for (const summary of standings) trainer.keep({ summary });
  await lab.wakeUp();
  await find('h2', 'Your runs');
}

/** What a link brought, once the device is known. */
async function shared({ lab }: Stage, given: Job): Promise<void> {
  await lab.wakeUp();
  lab.shared.show(given);
}

/** A new job of a task, with whatever stands in it at first. */
async function begin({ lab }: Stage, task = 'diffusion'): Promise<void> {
  lab.draft.openExample(task);
  lab.go('new');
  await until('the figures', () => lab.draft.preparation);
}

async function ownData(stage: Stage, task: string): Promise<void> {
  await begin(stage, task);
  await press('Make your own');
}

async function ownPictures(stage: Stage): Promise<void> {
  await ownData(stage, 'diffusion');
  await give('Add pictures', await pictures(5));
  await find('button', 'Remove picture 5');
}

async function classes(stage: Stage): Promise<void> {
  await ownData(stage, 'image-classification');
  await give('Add pictures', await pictures(4));
}

async function texts(stage: Stage, task: string): Promise<void> {
  await ownData(stage, task);
  void stage.lab.draft.making.addText('The owl sleeps.\tcalm\nThe fox runs.\tquick');
}

/** A run that has got some way and goes on. */
async function training({ lab }: Stage, file: Job = long): Promise<void> {
  lab.draft.setJob(file);
  void lab.training.start();
  await until('the third row', () => lab.run.rows.length > 2);
}

async function paused(stage: Stage): Promise<void> {
  await training(stage);
  await stage.lab.training.pause();
  await until('the pause', () => stage.lab.run.status === 'paused');
}

async function done({ lab }: Stage, file: Job = job): Promise<void> {
  lab.draft.setJob(file);
  await lab.training.start();
  await until('the result', () => lab.screen === 'result');
}

const doneBy = (task: string) => (stage: Stage) =>
  done(stage, jobFromTable({ task, train: { steps: 8 }, sample: { every: 4 } }));

const model = (stage: Stage, name = 'mine') =>
  stage.lab.inspect({
    kind: 'files',
    name,
    files: [
      { path: 'unet/model.onnx', blob: new Blob() },
      { path: 'vocoder/model.onnx', blob: new Blob() },
    ],
  });

const example = Object.fromEntries(
  taskInfos.map(({ id }): [string, State] => [`new, ${id}`, { reach: (stage) => begin(stage, id) }]),
);

export const states: Readonly<Record<string, State>> = {
  home: { reach: ({ lab }) => lab.wakeUp() },
  'home with runs': { reach: withRuns },
  'home, its runs unread': {
    reach: async ({ lab, trainer }) => {
      const unread = storeError(new DOMException('', 'UnknownError'));
      Object.assign(trainer, { runs: () => Promise.reject(unread) });
      await lab.wakeUp();
      await until('the words', () => lab.library.unread);
    },
  },
  'home on a phone': { narrow: true, reach: ({ lab }) => lab.wakeUp() },
  'home on a phone, unfolded': {
    narrow: true,
    reach: async (stage) => {
      await withRuns(stage);
      for (const name of ['How it learns', 'A model, an adapter', 'Or try an example']) await press(name);
    },
  },
  'new on a phone': { narrow: true, reach: begin },
  'home, what a run’s card offers': {
    reach: async (stage) => {
      await withRuns(stage);
      await press('More');
      await find('button', 'Rename');
    },
  },
  'home, a run renamed': {
    reach: async (stage) => {
      await withRuns(stage);
      await press('More');
      await press('Rename');
    },
  },
  'home, a run taken out': {
    reach: async (stage) => {
      await withRuns(stage);
      await press('More');
      await press('Delete');
      await find('button', 'Undo');
    },
  },
  'home, what is stored': {
    reach: async (stage) => {
      await withRuns(stage);
      await press(/^(Storage|What is kept)/);
    },
  },
  'home, a shared job': { reach: (stage) => shared(stage, job) },
  'home, a shared job of texts': {
    reach: (stage) => shared(stage, jobFromTable({ task: 'text-classification' })),
  },
  'home, a broken link': {
    reach: async ({ lab }) =>
      lab.shared.refuse({ code: 'bad-job', message: 'This link is cut off.', cure: 'Ask for it again.' }),
  },
  'a run that is not there': {
    reach: async ({ lab }) => {
      await lab.openRun('none');
      await find('[role=alert]', '');
    },
  },
  ...example,
  'new, all settings': {
    reach: async (stage) => {
      await begin(stage);
      await press('Advanced');
      await find('h2, h3', /^Layers/);
    },
  },
  'new, what a word means': {
    reach: async (stage) => {
      await begin(stage);
      await press('Advanced');
      (await find('[popovertarget]', '')).click();
      await until('the words', () => document.querySelector(':popover-open'));
    },
  },
  'new, it stands in the way': {
    options: {
      problems: [
        { severity: 'error', code: 'bad-data', message: 'fox.png cannot be read.', cure: 'Take it out.' },
        { severity: 'warning', code: 'bad-job', message: 'Rule 2 matches no layer.' },
      ],
    },
    reach: begin,
  },
  'new, too large': {
    options: {
      fit: {
        ...{ kind: 'will-not-fit', needed: 6e9, offered: 4e9, weights: 1e9, state: 1e8, activations: 4.9e9 },
        words: 'Will not fit: needs about 6.0 GB of 4.0 GB (what WebAssembly can address).',
        reliefs: [],
      },
    },
    reach: begin,
  },
  'new, pictures to be made': { reach: (stage) => ownData(stage, 'diffusion') },
  'new, pictures made': { reach: ownPictures },
  'new, drawing': {
    reach: async (stage) => {
      await ownData(stage, 'diffusion');
      await press('Draw');
      await until('the sheet', () => document.querySelector('[role=application]'));
    },
  },
  'new, classes to be made': { reach: (stage) => ownData(stage, 'image-classification') },
  'new, classes made': { reach: classes },
  'new, drawing in a class': {
    reach: async (stage) => {
      await ownData(stage, 'image-classification');
      await press('Draw');
      await until('the sheet', () => document.querySelector('[role=application]'));
    },
  },
  'new, pairs made': {
    reach: async (stage) => {
      await ownData(stage, 'pairs');
      await give('Add inputs', await pictures(3));
      await give('Add wanted pictures', await pictures(2));
      await find('button', 'Remove pair 3');
    },
  },
  'new, texts to be made': { reach: (stage) => ownData(stage, 'text-classification') },
  'new, texts made': { reach: (stage) => texts(stage, 'text-classification') },
  'new, chats made': { reach: (stage) => texts(stage, 'language') },
  'new, arrays found': {
    reach: async (stage) => {
      await begin(stage, 'generic');
      const arrays = new Map([
        ['sample', tensor('float64', [4, 1, 3, 32, 32], new Uint8Array(4 * 3 * 32 * 32))],
        ['wanted', tensor('float32', [4, 1, 3, 32, 32], new Uint8Array(4 * 3 * 32 * 32))],
        ['y', tensor('float32', [3, 7], new Uint8Array(21))],
      ]);
      const blob = new Blob([(await writeNpz(arrays)) as Uint8Array<ArrayBuffer>]);
      stage.lab.draft.pick({ train: toSource([{ path: 'train.npz', blob }]) });
      await until('what was found', () => document.querySelector('tr.words'));
    },
  },
  'new, pasted': {
    reach: async (stage) => {
      await begin(stage, 'language');
      stage.lab.draft.setJob({
        ...stage.lab.draft.job,
        data: { ...stage.lab.draft.job.data, train: PASTED },
      });
    },
  },
  'run, being loaded': {
    options: { pace: 500 },
    reach: async ({ lab }) => {
      lab.draft.setJob(job);
      void lab.training.start();
      await until('the run', () => lab.run.phase);
    },
  },
  run: { options: { pace: 60 }, reach: (stage) => training(stage) },
  'run of words': {
    options: { pace: 60, says: words },
    reach: (stage) =>
      training(
        stage,
        jobFromTable({ task: 'text-classification', train: { steps: 30_000 }, sample: { every: 2 } }),
      ),
  },
  'run, paused': { options: { pace: 10 }, reach: paused },
  'run, without room to be saved': {
    options: { pace: 60, full: true },
    reach: async (stage) => {
      await training(stage);
      await find('button', 'Make room');
    },
  },
  'run, paused and in this tab alone': {
    options: { pace: 10, full: true },
    reach: async (stage) => {
      await paused(stage);
      await find('button', 'Make room, and save it');
    },
  },
  'run, as a film': {
    options: { pace: 10 },
    reach: async (stage) => {
      await paused(stage);
      await press('As a film');
    },
  },
  'run, earlier steps': {
    options: { pace: 10 },
    reach: async (stage) => {
      await paused(stage);
      await press(/^(Earlier|Go back)/);
    },
  },
  'run, enlarged': {
    options: { pace: 10 },
    reach: async (stage) => {
      await paused(stage);
      await press(/, untouched/);
      await find('dialog', '');
    },
  },
  'run that failed': {
    options: { failAt: 5 },
    reach: async ({ lab }) => {
      lab.draft.setJob(job);
      await lab.training.start();
      await find('[role=alert]', '');
    },
  },
  result: { reach: (stage) => done(stage) },
  'result, enlarged': {
    reach: async (stage) => {
      await done(stage);
      await press(/Enlarge/);
      await find('dialog', '');
    },
  },
  'result, stopped': {
    options: { pace: 20 },
    reach: async (stage) => {
      await training(stage);
      await stage.lab.training.stop();
      await until('the result', () => stage.lab.screen === 'result');
    },
  },
  'result, without room to be saved': {
    options: { full: true },
    reach: async (stage) => {
      await done(stage);
      await find('button', 'Make room, and save it');
    },
  },
  'result, not saved': {
    options: { refused: true },
    reach: async (stage) => {
      await done(stage);
      await find('button', 'Save it again');
    },
  },
  'result, for a place that cannot hold it': {
    reach: async (stage) => {
      await done(stage);
      (await find('label', /PEFT/)).click();
    },
  },
  'result of texts': { options: { says: words }, reach: doneBy('text-classification') },
  'result of pictures that are named': { options: { says: words }, reach: doneBy('image-classification') },
  'result of a language': { options: { says: words }, reach: doneBy('language') },
  'result of pairs': { reach: doneBy('pairs') },
  'result of arrays': { options: { says: words }, reach: doneBy('generic') },
  'result, an adapter tried': {
    reach: async ({ lab }) => {
      lab.draft.pick({ adapter: toSource([{ path: 'style.safetensors', blob: new Blob(['x']) }]) });
      await lab.trial.open();
      await until('the result', () => lab.screen === 'result');
    },
  },
  'model, none yet': { reach: async ({ lab }) => lab.go('model') },
  model: { reach: (stage) => model(stage) },
  'model that cannot be trained': {
    reach: async (stage) => {
      await model(stage);
      (await find('[role=tab]', 'vocoder')).click();
    },
  },
  'model, a broken file': {
    reach: async (stage) => {
      await model(stage);
      (await find('[role=tab]', 'broken')).click();
      await find('[role=alert]', '');
    },
  },
  'model from the web': {
    options: { inspection: fakeInspection('mine') },
    reach: async ({ lab }) => {
      lab.go('model');
      await lab.remote.look('https://example.org/models/small');
    },
  },
  words: { reach: async ({ lab }) => lab.go('words') },
  about: { reach: async ({ lab }) => lab.go('about') },
};

/** Brings the page into a state, and waits until its view stands there: it is loaded when it is first shown. */
export async function reachState(name: string, stage: Stage): Promise<void> {
  const state = states[name];
  if (!state) throw new Error(`There is no state “${name}”.`);
  await state.reach(stage);
  await until(`the view of “${name}”`, () =>
    [...document.querySelectorAll<HTMLElement>('main h1, main [role=alert]')].some(
      (element) => element.checkVisibility() && element.innerText.trim() !== '',
    ),
  );
}
