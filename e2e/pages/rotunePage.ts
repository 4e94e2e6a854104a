/** @file The page as a person meets it: where things are, in their words. Specs say what should happen, this file how to reach it. */
import type { Page } from '@playwright/test';
import { encodeLink } from '#src/formats/jobs/link.ts';
import { parseJob } from '#src/formats/jobs/job.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { names } from './names.ts';

/** Layers that smallJob() turns; two tensors are saved of each. */
export const SMALL_LAYERS = 8;

/** As little work as a run can be: every part of the default job, nothing twice, in the last block's layers or, where asked, in all 133. */
export function smallJob(
  changes: { steps?: number; seed?: number; every?: number; allLayers?: boolean } = {},
): Job {
  const { steps = 3, seed = 0, every = 0, allLayers = false } = changes;
  const lastBlock = `
    [[plan.rule]]
    match = { name = "up_blocks.2*" }
    [[plan.rule]]
    match = { name = "*" }
    skip = true`;
  return parseJob(`
    [data]
    train = "builtin:riso/train"
    heldout = ""
    [train]
    steps = ${steps}
    batch = 1
    warmup = 0
    learning_rate = 0.02
    seed = ${seed}
    checkpoint_steps = 1
    [sample]
    prompts = ["ghost"]
    steps = 2
    every = ${every}
    ${allLayers ? '' : lastBlock}
  `);
}

export class RotunePage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get demoButton() {
    return this.page.getByRole('button', { name: names.demoButton });
  }
  get fromWeb() {
    return this.page.getByRole('button', { name: names.fromWeb });
  }
  get trainShared() {
    return this.page.getByRole('button', { name: names.trainShared });
  }
  get pause() {
    return this.page.getByRole('button', { name: names.pause });
  }
  get continueRun() {
    return this.page.getByRole('button', { name: names.continueRun });
  }
  get saveAdapter() {
    return this.page.getByRole('button', { name: names.saveAdapter });
  }
  get copyLink() {
    return this.page.getByRole('button', { name: names.copyLink });
  }
  get resultHeading() {
    return this.page.getByRole('heading', { name: names.resultHeading });
  }
  /** The settings of a shared job. */
  get lookAtShared() {
    return this.page.getByRole('button', { name: 'Look at it first', exact: true });
  }
  /** A new job with data of one's own: "Texts or chats". */
  beginWith(have: string) {
    return this.page.getByRole('button', { name: new RegExp(`^${have}`) });
  }
  /** Of an example's card. */
  tryExample(title: string) {
    return this.page.getByRole('button', { name: new RegExp(`^Try it.*${title}`) });
  }
  lookAtExample(title: string) {
    return this.page.getByRole('button', { name: new RegExp(`^Look at it first.*${title}`) });
  }
  /** All settings of a new job, folded at first. */
  get advanced() {
    return this.page.getByRole('heading', { name: 'Advanced' });
  }
  get problem() {
    return this.page.getByRole('alert');
  }

  /** What may be tried on the result's view, and what comes of it. */
  get tryIt() {
    return this.page.getByRole('region', { name: 'Try it' });
  }
  /** What the tuned classifier finds in the one thing that it was shown: classes with their shares in per cent, the likeliest first. */
  async found(): Promise<readonly { readonly name: string; readonly share: number }[]> {
    const bars = this.tryIt.getByRole('list').last().getByRole('listitem');
    return (await bars.allInnerTexts()).map((text) => {
      const [, name = '', share = ''] = /^(.*?)\s+(?:untouched\b.*)?\btuned\s+([\d.]+)/s.exec(text) ?? [];
      return { name, share: Number.parseFloat(share) };
    });
  }

  /** Opens the first screen, and waits until the page can be driven. One thread: tests run side by side, and threads of several wait for one another. */
  async open(hash = ''): Promise<void> {
    await this.page.goto(`/?threads=1${hash}`);
    await this.page.waitForFunction(() => globalThis.rotune !== undefined);
  }

  /** Opens a job's link. A changed hash alone does not load a page anew. */
  async openJob(job: Job): Promise<void> {
    await this.page.goto('about:blank');
    await this.open(await encodeLink(job));
  }

  /** Trains a job from its link to the result screen. */
  async trainFromLink(job: Job): Promise<void> {
    await this.openJob(job);
    await this.trainShared.click();
    await this.resultHeading.waitFor({ timeout: 120_000 });
  }

  /** Saves the adapter as a file; gives its bytes. */
  async adapter(): Promise<Buffer> {
    const download = this.page.waitForEvent('download');
    await this.saveAdapter.click();
    const stream = await (await download).createReadStream();
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }
}
