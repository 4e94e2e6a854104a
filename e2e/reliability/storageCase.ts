/** @file A page in which storage is about to fail: what lay there before, what its runs learn undisturbed, and what must be so after each fault. */
import type { CDPSession, Page } from '@playwright/test';
import { smallJob } from '../pages/rotunePage.ts';
import { expect } from '../pages/test.ts';
import { adapterHash, begin, ended, intact, openPage, savedUpTo, told, trained, type Told } from './runs.ts';
import { inject } from './storageFaults.ts';

export const STEPS = 6;
export const job = smallJob({ steps: STEPS });
/** Long enough to do something in its middle. */
export const long = smallJob({ steps: 12 });

/** A page in a context of its own, which no other case has stored in; a finished run stands there, and the bytes of undisturbed ones are known. */
export class Case {
  readonly page: Page;
  readonly cdp: CDPSession;
  #before: { readonly id: string; readonly steps: readonly number[] };
  readonly hashes: { readonly short: string; readonly long: string };

  private constructor(page: Page, cdp: CDPSession, before: Case['before'], hashes: Case['hashes']) {
    [this.page, this.cdp, this.#before, this.hashes] = [page, cdp, before, hashes];
  }

  static async open(page: Page): Promise<Case> {
    await openPage(page);
    const cdp = await page.context().newCDPSession(page);
    await trained(page, long);
    const whole = await adapterHash(page);
    const id = await trained(page, job);
    const hashes = { short: await adapterHash(page), long: whole };
    return new Case(page, cdp, { id, steps: await intact(page, id) }, hashes);
  }

  get before() {
    return this.#before;
  }

  get origin(): string {
    return new URL(this.page.url()).origin;
  }

  /** What was there before still is. */
  async untouched(): Promise<void> {
    expect(await intact(this.page, this.#before.id), 'the run before').toEqual(this.#before.steps);
  }

  /** What the run said last of saving is so; null: it said nothing. */
  async honest(id: string): Promise<Told | null> {
    const saying = (await told(this.page)).findLast(({ kind }) => kind !== 'warning') ?? null;
    const steps = await intact(this.page, id);
    if (saying?.kind === 'checkpoint') expect(steps.at(-1), 'said to be saved').toBe(saying.step);
    const claimed = (await told(this.page)).filter(({ kind }) => kind === 'checkpoint').at(-1);
    if (claimed?.kind === 'checkpoint') expect(steps, 'saved once').toContain(claimed.step);
    const summary = await this.page.evaluate(() => globalThis.rotune!.lastRun());
    if (summary?.id === id) expect(steps, 'listed').toContain(summary.step);
    return saying;
  }

  async sameBytes(of: string): Promise<void> {
    expect(await adapterHash(this.page), 'bytes of the adapter').toBe(of);
  }

  /** The final state is not saved, which stands there in fitting words; with room again one button saves it. */
  async saveAgain(id: string, words: RegExp, steps = STEPS): Promise<void> {
    const { page } = this;
    const saying = (await told(page)).findLast(({ kind }) => kind !== 'warning');
    expect(saying?.kind).toBe('unsaved');
    await expect(page.getByText(words).first()).toBeVisible();
    const full = saying?.kind === 'unsaved' && saying.problem.full === true;
    const button = page.getByRole('button', {
      name: full ? 'Make room, and save it' : 'Save it again',
    });
    await inject(page, null);
    await button.click();
    await expect
      .poll(async () => (await intact(page, id)).at(-1), {
        message: 'saved again',
      })
      .toBe(steps);
    await expect(page.getByText(words)).toHaveCount(0);
    // Making room takes earlier states of other runs, as it says; never their newest, and none where room does not help.
    const left = await intact(page, this.#before.id);
    expect(left, 'the run before').toEqual(this.#before.steps.slice(full ? -1 : 0));
    this.#before = { id: this.#before.id, steps: left };
  }
}

/** Trains the long job to a pause after so many steps or a few more; gives the run's id. */
export async function pausedAt(page: Page, step: number): Promise<string> {
  await begin(page, long);
  await savedUpTo(page, step);
  await page.evaluate(() => globalThis.rotune!.pause());
  const outcome = await ended(page);
  if (!outcome.ok || outcome.value.outcome !== 'paused') throw new Error('it ended before it was paused');
  return outcome.value.id;
}
