/** @file WebKitGTK by WebDriver: its driver and small browser under a screen that nobody sees, spoken to by HTTP. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine, Tab } from './driver.ts';

/** What a start needs beside the driver itself. */
export interface WebKitPrograms {
  readonly driver: string;
  readonly browser: string;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A WebDriver command: https://www.w3.org/TR/webdriver2/ */
async function command(method: 'POST' | 'GET' | 'DELETE', url: string, body?: object): Promise<unknown> {
  const response = await fetch(url, {
    method,
    ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
    signal: AbortSignal.timeout(600_000),
  });
  const { value } = (await response.json()) as { value: { error?: string; message?: string } | null };
  if (!response.ok) throw new Error(`${value?.error ?? response.status}: ${value?.message ?? ''}`);
  return value;
}

/** Answers once the driver listens. */
async function listening(origin: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    if (child.exitCode !== null) break;
    try {
      await command('GET', `${origin}/status`);
      return;
    } catch {
      await new Promise((next) => setTimeout(next, 200));
    }
  }
  throw new Error('WebKitWebDriver does not start.');
}

/** A function by its source as a script of its own: the page's policy forbids `eval`, also in what the driver runs. */
const call = (source: string): string => `const [args, done] = arguments;
  Promise.resolve().then(() => (${source})(...args))
    .then((value) => done({ value }), (error) => done({ error: String(error) }));`;

function tab(session: string, handle: string): Tab {
  /** Commands go to the window that was switched to last. */
  const here = async (method: 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> => {
    await command('POST', `${session}/window`, { handle });
    return command(method, `${session}/${path}`, body);
  };
  return {
    goto: async (url) => {
      await here('POST', 'url', { url });
    },
    reload: async () => {
      await here('POST', 'refresh');
    },
    evaluate: async (work, ...args) => {
      const { value, error } = (await here('POST', 'execute/async', {
        script: call(String(work)),
        args: [args],
      })) as { value: never; error?: string };
      if (error !== undefined) throw new Error(error);
      return value;
    },
    close: async () => {
      await here('DELETE', 'window');
    },
  };
}

/**
 * Starts the browser in an ephemeral session, as Safari's private windows are.
 * @param sharedMemory WebKitGTK has SharedArrayBuffer only where this is asked for
 */
export async function launchWebKit(
  { driver, browser }: WebKitPrograms,
  sharedMemory: boolean,
): Promise<Engine> {
  const home = await mkdtemp(join(tmpdir(), 'rotune-webkit-'));
  const port = await freePort();
  const child = spawn(
    'dbus-run-session',
    ['--', 'xvfb-run', '-a', driver, `--port=${port}`, '--host=127.0.0.1'],
    {
      detached: true,
      stdio: 'ignore',
      env: {
        ...process.env,
        HOME: home,
        XDG_DOWNLOAD_DIR: home,
        // As on a system without a language: what the page makes of that is tested here, too.
        LANG: 'C',
        LANGUAGE: '',
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
        ...(sharedMemory && { JSC_useSharedArrayBuffer: '1' }),
      },
    },
  );
  const origin = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    // The whole group: the screen and the bus, too.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    await listening(origin, child);
    const { sessionId, capabilities } = (await command('POST', `${origin}/session`, {
      capabilities: {
        alwaysMatch: {
          timeouts: { script: 600_000, pageLoad: 120_000 },
          'webkitgtk:browserOptions': { binary: browser, args: ['--automation'] },
        },
      },
    })) as { sessionId: string; capabilities: { browserVersion: string } };
    const session = `${origin}/session/${sessionId}`;
    const first = (await command('GET', `${session}/window`)) as string;
    return {
      name: 'webkit',
      version: capabilities.browserVersion,
      downloads: home,
      async newTab() {
        // The session's first window stays: the session ends with its last one, and a new one is asked for from one that is open.
        await command('POST', `${session}/window`, { handle: first });
        const { handle } = (await command('POST', `${session}/window/new`, { type: 'tab' })) as {
          handle: string;
        };
        return tab(session, handle);
      },
      async close() {
        await command('DELETE', session).catch(() => undefined);
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
