/** @file The page's whole state, put together from its rooms; here is only what joins them: which view follows from what. */
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import type { BackendKind } from '#src/runtime/types.ts';
import type { Problem, RunSummary, Source } from '#workers/protocol.ts';
import { Draft } from './data/draft.svelte.ts';
import { KeptDraft } from './data/keptDraft.ts';
import type { Pasted } from './data/pasted.ts';
import { Library } from './library/library.svelte.ts';
import { Opening } from './library/opening.svelte.ts';
import { alone, Inspector } from './model/inspector.svelte.ts';
import { KeptModel } from './model/keptModel.ts';
import { RemoteModels } from './model/remote.svelte.ts';
import { EventLog } from './page/eventLog.ts';
import { type AddressBar, MemoryBar, Router } from './page/router.svelte.ts';
import { HOME, type Route } from './page/routes.ts';
import type { Screen } from './page/screens.ts';
import { Voice } from './page/voice.svelte.ts';
import { Comparison } from './result/comparison.svelte.ts';
import { type OpenedAdapter, Trial } from './result/trial.svelte.ts';
import { Device } from './run/device.svelte.ts';
import { bytesToFetch } from './run/sizes.ts';
import { Training } from './run/training.svelte.ts';
import { Shared } from './sharing/shared.svelte.ts';
import { SharedTime } from './sharing/sharedTime.svelte.ts';
import { plural } from './words/format.ts';
import { drawsPrompts, isTask, taskOf } from './words/taskWords.ts';
import type { Trainer } from './worker/client.ts';

export class Lab {
  readonly trainer: Trainer;
  /** What happened last, for error reports. */
  readonly log = new EventLog();
  readonly voice = new Voice(this.log);
  readonly device: Device;
  readonly draft: Draft;
  readonly training: Training;
  readonly trial: Trial;
  readonly library: Library;
  readonly opening: Opening;
  readonly keptDraft: KeptDraft;
  readonly keptModel: KeptModel;
  readonly shared: Shared;
  readonly comparison: Comparison;
  readonly inspector: Inspector;
  readonly remote: RemoteModels;
  readonly #router: Router;
  /** The view from which a run was asked for. */
  #before: Route = HOME;

  constructor(trainer: Trainer, defaultJob: Job, bar: AddressBar = new MemoryBar()) {
    this.trainer = trainer;
    this.device = new Device(trainer);
    this.draft = new Draft(this, defaultJob);
    this.comparison = new Comparison(trainer);
    this.inspector = new Inspector(trainer);
    this.remote = new RemoteModels(trainer);
    const { draft, device, voice, log } = this;
    this.training = new Training({
      ...{ trainer, draft, device, voice, log },
      onBegin: () => {
        this.#before = this.route;
        this.trial.close();
        this.opening.forget();
        this.go('run');
      },
      onListed: () => {
        void this.library.given.put(this.run.id, draft.picked);
        void this.library.refresh();
      },
      onWithdraw: () => {
        this.#router.restore(this.#before);
        this.#arrive(this.#before);
      },
      onEnd: (job) => this.#showResult(job),
      onSaved: () => void this.library.refresh(),
      onBranch: async (from) => {
        const { sources } = await this.library.given.get(from);
        await this.library.given.put(this.run.id, sources);
        this.#router.replace('run', this.run.id);
      },
    });
    this.shared = new Shared(
      new SharedTime({
        ...{ trainer, device },
        knownModel: defaultJob.model,
        cost: bytesToFetch,
        idle: () => !this.run.busy && this.training.otherTab === null,
      }),
    );
    this.library = new Library({
      ...{ trainer, voice },
      running: () => (this.run.busy ? this.run.id : ''),
    });
    this.keptDraft = new KeptDraft(this.library.given);
    this.keptModel = new KeptModel(this.library.given);
    this.opening = new Opening({ trainer, draft, library: this.library, run: this.run });
    this.trial = new Trial({
      ...{ trainer, draft },
      refusal: () => this.training.refusal(),
      keep: () => this.keptDraft.keep(this.draft.job, this.draft.picked),
      onOpen: (opened) => this.#showTrial(opened),
    });
    this.#router = new Router(bar, (route) => this.#arrive(route));
  }

  get run() {
    return this.training.run;
  }
  get screen(): Screen {
    return this.#router.screen;
  }
  get route(): Route {
    return this.#router.route;
  }
  get defaultJob(): Job {
    return this.draft.defaultJob;
  }

  /** Shows what the address names, once the page stands; a job that was being made in this tab as it was. */
  begin(): void {
    this.#router.begin((route) => this.#arrive(route));
    if (this.screen === 'new') void this.#restoreDraft(this.route.of);
  }

  async #restoreDraft(task: string): Promise<void> {
    const { draft } = this;
    const { job, picked } = draft;
    const kept = await this.keptDraft.restore();
    // What was begun meanwhile is newer.
    if (kept?.job.task === task && draft.job === job && draft.picked === picked)
      draft.adopt(kept.job, kept.files);
  }

  /** Shows a view of what is at hand. */
  go(screen: Screen): void {
    this.shared.close();
    this.#router.go(screen, this.#subject(screen));
  }

  /** What of a view is at hand, for its address. */
  #subject(screen: Screen): string {
    switch (screen) {
      case 'new':
        return this.draft.task.id;
      case 'run':
        return this.run.id;
      case 'result':
        return this.trial.opened ? '' : this.run.id;
      default:
        return '';
    }
  }

  /** The user came here by back, forward, reload, a bookmark or a link. */
  #arrive({ screen, of, link }: Route): void {
    if (link === '') this.shared.close();
    else void this.shared.open(link);
    if (screen === 'new' && of !== this.draft.task.id) {
      if (isTask(of)) this.draft.openExample(of);
      else this.#router.replace('home');
    }
    if (screen === 'model' && !this.inspector.source) void this.#restoreModel();
    if (screen === 'result' && of === '') {
      if (!this.trial.opened) void this.#restoreTrial();
    } else if (screen === 'run' || screen === 'result') void this.#showRun(of);
  }

  /** The model that was looked into in this tab before the page was loaded anew. */
  async #restoreModel(): Promise<void> {
    const { inspector } = this;
    const kept = await this.keptModel.restore();
    if (!kept || inspector.source) return;
    if ('lost' in kept) inspector.lose(kept.lost);
    else if ('source' in kept) await inspector.open(kept.source);
    else {
      const source = await this.remote.open(kept.url);
      if (!source) inspector.lose(kept.name);
      else if (this.inspector.source === null) await inspector.open(source);
    }
  }

  /** The adapter that was on trial in this tab before the page was loaded anew. */
  async #restoreTrial(): Promise<void> {
    const { draft, trial } = this;
    const here = () => this.screen === 'result' && this.route.of === '' && !trial.opened;
    const kept = await this.keptDraft.restore();
    if (!here()) return;
    if (!kept || !(kept.files.adapter ?? kept.missing.adapter)) {
      this.#router.replace('home');
      return;
    }
    draft.adopt(kept.job, kept.files);
    await trial.reopen(kept.missing);
  }

  /** Shows a run, that of this moment or a saved one. While another one trains, that is shown. */
  async openRun(id: string): Promise<void> {
    this.#router.go(this.library.find(id)?.finished ? 'result' : 'run', id);
    await this.#showRun(id);
  }

  async #showRun(id: string): Promise<void> {
    this.trial.close();
    if (this.run.busy) {
      this.#router.replace('run', this.run.id);
      return;
    }
    const here = () => this.#router.route.of === id && ['run', 'result'].includes(this.screen);
    if (id !== this.run.id || this.run.status === 'idle') {
      const saved = await this.opening.open(id);
      if (!saved || !here()) return;
    }
    if (this.screen === 'result' && this.run.status !== 'done') this.#router.replace('run', id);
    else if (this.run.job) this.#compare(this.run.job);
  }

  /** Goes on with a saved run, or shows which of its files must be picked first. */
  async continueRun(saved: RunSummary): Promise<void> {
    await this.opening.adopt(saved);
    if (this.opening.missing.length > 0) await this.openRun(saved.id);
    else await this.training.goOn(saved);
  }

  /** Ends a saved run with what it learned so far, and shows what that came to. */
  async keepRun(saved: RunSummary): Promise<void> {
    await this.openRun(saved.id);
    if (this.run.id === saved.id && this.run.standsStill) await this.training.keep();
  }

  /** A new job with a run's settings and files. */
  async trainAgain(saved: RunSummary): Promise<void> {
    await this.opening.adopt(saved);
    this.go('new');
  }

  /** The cheap questions of a first visit: which device, and is anything unfinished. */
  async wakeUp(): Promise<void> {
    // Neither waits for the other: saved runs are there whatever the graphics driver does.
    await Promise.all([this.device.look(), this.library.refresh()]);
  }

  async prefer(backend: BackendKind | 'auto'): Promise<void> {
    this.draft.forgetPreparation();
    await this.device.prefer(backend);
  }

  /** Shows what is in a model's files, and keeps them for a reload of the tab. @param url where they were downloaded from */
  async inspect(source: Source, url = ''): Promise<void> {
    this.go('model');
    await Promise.all([this.inspector.open(source), this.keptModel.save(source, url)]);
  }

  /** Goes on from the inspector to a run of the inspected model by a task, the likeliest if none is named, with no data chosen yet. */
  trainModel(task = this.inspector.proposals[0]?.task): void {
    const { source, file } = this.inspector;
    if (!source || !file || task === undefined) return;
    // A pipeline is trained with all its parts; any other task takes one model.
    this.draft.begin(task, task === 'diffusion' ? source : alone(source, file.path));
    this.go('new');
  }

  /** Adds what was pasted to the data; false: there was nothing in it. */
  paste(things: readonly Pasted[]): boolean {
    const files = this.draft.paste(things);
    if (files > 0) this.voice.say(`Pasted. ${plural(files, 'file')} in all.`);
    return files > 0;
  }

  /** All that a report of this problem says, as text. */
  async report(problem: Problem): Promise<string> {
    const { errorReport } = await import('./page/report.ts');
    const { status, step, total, phase } = this.run;
    const running = status === 'idle' ? '' : `; run ${status}, step ${step} of ${total}`;
    return errorReport({
      problem,
      job: this.run.busy || status === 'failed' ? this.run.job : this.draft.job,
      backend: this.device.backend,
      events: this.log.events,
      state: `screen ${this.screen}${running}${phase ? `, ${phase.name}` : ''}`,
    });
  }

  /** Before and after, from the pictures at hand. */
  #compare(job: Job): void {
    if (drawsPrompts(taskOf(job)))
      this.comparison.open(job.sample, this.run.rows, this.run.result?.step ?? this.run.step);
  }

  #showResult(job: Job): void {
    this.#compare(job);
    // Back from the result leads to where the run was asked for, not to a run that is over.
    this.#router.replace('result', this.run.id);
  }

  #showTrial({ name, report, sample }: OpenedAdapter): void {
    this.voice.say(`${name} is loaded: ${report.loaded} layers.`);
    this.comparison.open(sample, [], 0);
    this.go('result');
  }
}
