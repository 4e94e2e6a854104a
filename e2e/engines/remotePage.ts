/** @file The page as a person meets it, in any browser: pressed and read through the driver's few means. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeLink } from '#src/formats/jobs/link.ts';
import type { Job } from '#src/formats/jobs/jobTypes.ts';
import { names } from '../pages/names.ts';
import type { Engine, Tab } from './driver.ts';

type Name = string | RegExp;

const POLL = 150;

export class RemotePage {
  readonly tab: Tab;
  readonly #engine: Engine;
  readonly #url: string;

  constructor(engine: Engine, tab: Tab, url: string) {
    this.#engine = engine;
    this.tab = tab;
    this.#url = url;
  }

  /** Asks again until the answer is neither null nor false; while the page loads anew there is none. */
  async until<T>(what: string, ask: () => Promise<T | null | false>, seconds = 240): Promise<T> {
    const end = performance.now() + seconds * 1000;
    let last = '';
    for (;;) {
      try {
        const answer = await ask();
        if (answer !== null && answer !== false) return answer;
      } catch (error) {
        last = ` (${String(error)})`;
      }
      if (performance.now() > end)
        throw new Error(`${what}: not within ${seconds} s${last}. The page says:\n${await this.text()}`);
      await new Promise((next) => setTimeout(next, POLL));
    }
  }

  /** Opens the first screen, by a link's hash or a query, too; waits until the page can be driven. */
  async open(rest = ''): Promise<void> {
    await this.tab.goto(this.#url + rest);
    await this.until('The page', () => this.tab.evaluate(() => globalThis.rotune !== undefined), 60);
  }

  async openJob(job: Job, query = ''): Promise<void> {
    await this.open(query + (await encodeLink(job)));
  }

  /** All that can be read. */
  async text(): Promise<string> {
    return this.tab.evaluate(() => document.body.innerText).catch((error: unknown) => String(error));
  }

  /** Waits for words; gives what the expression's first group holds, or all. */
  async reads(words: Name, seconds?: number): Promise<string> {
    return this.until(
      String(words),
      async () => {
        const text = await this.text();
        if (typeof words === 'string') return text.includes(words) && words;
        const found = words.exec(text);
        return found && (found[1] ?? found[0]);
      },
      seconds,
    );
  }

  /** Presses a button by its name, as soon as it can be. */
  async press(name: Name, seconds?: number): Promise<void> {
    const source = typeof name === 'string' ? `^${name}$` : name.source;
    await this.until(
      `The button ${String(name)}`,
      () =>
        this.tab.evaluate((pattern) => {
          const button = [...document.querySelectorAll('button')].find(
            (each) =>
              !each.disabled &&
              new RegExp(pattern).test((each.ariaLabel ?? each.textContent).replaceAll(/\s+/g, ' ').trim()),
          );
          button?.click();
          return button !== undefined;
        }, source),
      seconds,
    );
  }

  /** Asks for the link of the result's job. */
  copyLink(): Promise<string> {
    return this.until('The link', async () => {
      await this.press(names.copyLink);
      return this.tab.evaluate(
        () => document.querySelector<HTMLInputElement>('[aria-label="The link"]')?.value ?? null,
      );
    });
  }

  /** Leaves the page in the middle of a run for another address of it, as soon as a step is saved: by itself, since a driver may be slower than the run. */
  async cutOff(query: string): Promise<void> {
    await this.tab.evaluate((query) => {
      void (async () => {
        while (!(await globalThis.rotune!.lastRun())?.step) await new Promise((next) => setTimeout(next, 20));
        location.assign(location.pathname + query);
      })();
    }, query);
    await this.until('The page, once more', () =>
      this.tab.evaluate((query) => location.search === query && globalThis.rotune !== undefined, query),
    );
  }

  /** The adapter of the last run as hexadecimal text. */
  adapterHex(): Promise<string> {
    return this.tab.evaluate(async () => {
      const exported = await globalThis.rotune!.export();
      if (!exported.ok) throw new Error(exported.problem.message);
      return Array.from(exported.value.bytes, (b) => b.toString(16).padStart(2, '0')).join('');
    });
  }

  /** Saves the adapter as a file; gives its bytes. */
  async saveAdapter(): Promise<Buffer> {
    // A second file of the same name takes the first one's place in one browser, and another name in the other.
    const saved = async () =>
      (await readdir(this.#engine.downloads)).filter((name) => name.endsWith('.safetensors'));
    for (const name of await saved()) await rm(join(this.#engine.downloads, name));
    await this.press(names.saveAdapter);
    let size = -1;
    return this.until('The saved file', async () => {
      const [name] = await saved();
      if (name === undefined) return null;
      const bytes = await readFile(join(this.#engine.downloads, name));
      // Whole once it has not grown between two looks.
      const whole = bytes.length > 0 && bytes.length === size;
      size = bytes.length;
      return whole && bytes;
    });
  }
}
