/** @file The policy holds in the page and in each of its workers: what another's code could try there is refused, and seen by the watch that every spec has. */
import type { Page, Worker } from '@playwright/test';
import { serve } from '../../workers/download/testing/server.ts';
import { serve as servePage } from '../../scripts/serve.mjs';
import { headersFor, META_POLICY } from '../../scripts/policy.mjs';
import { depth } from '../pages/depth.ts';
import { expect, test } from '../pages/test.ts';
import { RotunePage } from '../pages/rotunePage.ts';

test.use({ serviceWorkers: 'allow' });

/** What a realm lets be done in it. */
const tryAll = (realm: Pick<Page, 'evaluate'>, foreign: string): Promise<Record<string, boolean>> =>
  realm.evaluate(async (url) => {
    const works = async (work: () => unknown): Promise<boolean> => {
      try {
        await work();
        return true;
      } catch {
        return false;
      }
    };
    return {
      foreign: await works(() => fetch(url)),
      // Out of the driver's own call, to which the browser allows it.
      text: await new Promise<boolean>((done) => {
        setTimeout(() => void works(() => Reflect.construct(Function, ['return 1'])).then(done));
      }),
      worker: await works(() => new Worker('../abroad/any.js').terminate()),
      policy: await works(() =>
        (
          globalThis as unknown as { trustedTypes: { createPolicy(name: string, rules: object): void } }
        ).trustedTypes.createPolicy('default', {}),
      ),
    };
  }, foreign);

const NOTHING = { foreign: false, text: false, worker: false, policy: false };

/** A picture that the page must draw for the trainer, since workers have no SVG. */
const drawn = {
  name: 'drawn',
  files: [
    {
      path: 'one.svg',
      base64: btoa(
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="40" height="40"/></svg>',
      ),
    },
    { path: 'one.txt', base64: btoa('a square') },
  ],
};

/** The trainer, once it has read a picture. */
const trainerOf = async (rotune: RotunePage): Promise<Worker> => {
  const outcome = await rotune.page.evaluate((train) => globalThis.rotune!.prepare({ train }), drawn);
  expect(outcome).toMatchObject({ ok: true });
  return rotune.page.workers().find((worker) => /trainer\.worker/.test(worker.url()))!;
};

test('page and trainer reach no other host, and run no text', async ({ page, rotune, policy }) => {
  const other = await serve({ '/x': new Uint8Array(1) });
  try {
    policy.expected = true;
    await rotune.open();
    expect(await tryAll(page, `${other.url}x`)).toEqual(NOTHING);
    await expect.poll(() => policy.broken.join()).toContain("connect-src 'self'");
    expect(await tryAll(await trainerOf(rotune), `${other.url}x`)).toEqual(NOTHING);
    await expect.poll(() => policy.broken.join()).toContain('in a worker: connect-src');
    // A picture is asked for without a script.
    await page.evaluate((url) => {
      const image = document.createElement('img');
      image.src = url;
      document.body.append(image);
      document.body.setAttribute('style', 'color: red');
    }, `${other.url}x`);
    for (const directive of ['img-src', 'style-src'])
      await expect.poll(() => policy.broken.join()).toContain(directive);
    // The watch sees what is tried; nothing goes out.
    expect(policy.foreign).toContain(`${other.url}x`);
    expect(other.requests).toEqual([]);
  } finally {
    await other.close();
  }
});

test('on a host that sends no headers the service worker gives the trainer its policy', async ({
  page,
  policy,
}) => {
  const host = await servePage({ isolated: false });
  const other = await serve({ '/x': new Uint8Array(1) });
  try {
    policy.expected = true;
    await page.goto(host.origin);
    await expect.poll(() => page.evaluate(() => crossOriginIsolated).catch(() => null)).toBe(true);
    const rotune = new RotunePage(page);
    await rotune.demoButton.waitFor();
    expect(await tryAll(page, `${other.url}x`)).toEqual(NOTHING);
    expect(await tryAll(await trainerOf(rotune), `${other.url}x`)).toEqual(NOTHING);
    expect(other.requests).toEqual([]);
  } finally {
    await host.close();
    await other.close();
  }
});

// On a graphics card in software it takes most of a minute.
const onWebGpu = (): void =>
  test('the runtime for WebGPU works under it', async ({ page, rotune }) => {
    await rotune.open();
    const outcome = await page.evaluate(
      async (job) => globalThis.rotune!.run({ job, backend: 'webgpu' }),
      `task = "generic"\nmodel = "builtin:waves"\n[data]\ntrain = "builtin:turned-waves/train"\nheldout = ""\n[train]\nsteps = 2\nbatch = 4`,
    );
    expect(outcome).toMatchObject({ ok: true, value: { backend: { kind: 'webgpu' } } });
  });
if (depth(false, true)) onWebGpu();

test('the built page has it, nothing inline, and our own server sends it, too', async ({ request }) => {
  const response = await request.get('/');
  expect(response.headers()).toMatchObject(
    Object.fromEntries(Object.entries(headersFor('/')).map(([name, value]) => [name.toLowerCase(), value])),
  );
  const html = await response.text();
  expect(html).toContain(`content="${META_POLICY}"`);
  expect(html).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|(src|href)="(https?:|data:)/);
});
