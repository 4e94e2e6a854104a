/** @file What the commands' server gives out: the built page and the very files it was told of, to this machine's own names; nothing else. */
import fc from 'fast-check';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import { byteRange, serve } from './serve.mjs';
import { addressed } from './tune/browser.mjs';

const SECRET = 'not for the page';
let folder: string;
let server: Awaited<ReturnType<typeof serve>>;
let addresses: string[];

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'rotune-')));
  mkdirSync(join(folder, 'sub'));
  for (const name of ['.profile', 'other.txt', 'sub/deep.txt']) writeFileSync(join(folder, name), SECRET);
  writeFileSync(join(folder, 'given.txt'), 'given');
  symlinkSync(join(folder, 'other.txt'), join(folder, 'link.txt'));
  const job = {
    train: {
      name: 'data',
      files: [
        { path: 'given.txt', file: join(folder, 'given.txt') },
        // Became a link after it was listed.
        { path: 'link.txt', file: join(folder, 'link.txt') },
      ],
    },
  };
  const { files, inputs } = addressed(job);
  addresses = inputs.train!.files.map(({ url }) => url);
  server = await serve({ files });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** A request written out: clients would tidy its path. */
function ask(
  path: string,
  host = 'rotune.localhost',
  more = '',
  method = 'GET',
): Promise<{ status: number; text: string }> {
  return new Promise((done, fail) => {
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', fail);
    socket.on('close', () => done({ status: Number(text.split(' ')[1]), text }));
    socket.write(
      Buffer.from(
        `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`,
        'latin1',
      ),
    );
  });
}

describe('the server', () => {
  it('gives out a named file at its own address, whole and by ranges', async () => {
    expect(addresses[0]).toMatch(/^\/\.local\/[0-9a-f]{32}\/train\/0\.txt$/);
    expect((await ask(addresses[0]!)).text).toMatch(/ 200 [^]*text\/plain[^]*\r\n\r\ngiven$/);
    expect((await ask(addresses[0]!, 'localhost', 'Range: bytes=1-2\r\n')).text).toMatch(
      / 206 [^]*bytes 1-2\/5[^]*\r\n\r\niv$/,
    );
    expect((await ask(addresses[0]!, 'localhost', 'Range: bytes=5-\r\n')).text).toMatch(
      / 416 [^]*bytes \*\/5/,
    );
    expect((await ask(addresses[0]!, 'localhost', '', 'HEAD')).text).toMatch(
      /Content-Length: 5\r\n[^]*\r\n\r\n$/i,
    );
    expect((await ask(addresses[0]!, 'localhost', '', 'POST')).status).toBe(405);
  });

  it('follows no link that a file was replaced by', async () => {
    expect((await ask(addresses[1]!)).status).toBe(404);
  });

  it.each([
    'evil.example',
    'rotune.localhost.evil.example',
    '192.168.1.7',
    'localhost.',
    '127.0.0.1.nip.io',
    '',
  ])('answers nothing to another host: %j', async (host) => {
    for (const path of ['/', addresses[0]!]) {
      const { status, text } = await ask(path, host);
      expect([400, 421]).toContain(status);
      expect(text).not.toContain('given');
    }
  });

  it('outlives files that vanish, and readers that go away', async () => {
    const { files, inputs } = addressed({
      a: { name: 'a', files: [{ path: 'x', file: join(folder, 'vanished') }] },
    });
    const other = await serve({ files });
    const response = await fetch(new URL(inputs.a!.files[0]!.url, other.origin));
    expect(response.status).toBe(404);
    await other.close();
    expect((await ask(addresses[0]!)).status).toBe(200);
  });

  it('gives out nothing else at any address', async () => {
    const [, , secret = ''] = addresses[0]!.split('/');
    const piece = fc.constantFrom(
      ...[
        '..',
        '.',
        '',
        '%2e%2e',
        '%2E.',
        '..%2f',
        '%2f',
        '\\',
        '..\\',
        '%5c..',
        '%00',
        '~',
        '%',
        '%c0%ae%c0%ae',
        '*',
      ],
      ...[
        '.local',
        secret,
        secret.slice(1),
        'train',
        'model',
        '0',
        '0.txt',
        '1.txt',
        '2',
        '-1',
        'index.html',
      ],
      ...[
        'given.txt',
        'other.txt',
        '.profile',
        'sub',
        'deep.txt',
        'link.txt',
        'etc',
        'passwd',
        'package.json',
        '.git',
        'config',
      ],
      ...folder.split('/'),
      folder,
      encodeURIComponent(folder),
      'http://evil.example',
      'file://',
    );
    const start = fc.constantFrom(
      '/',
      '',
      '//',
      '/.local/',
      `/.local/${secret}/`,
      `/.local/${secret}/train/`,
      'http://localhost/',
      '/assets/',
    );
    const address = fc
      .tuple(start, fc.array(piece, { maxLength: 8 }), fc.constantFrom('/', '%2f', '\\'))
      .map(([from, pieces, by]) => from + pieces.join(by))
      .filter((path) => path !== '' && !path.includes(' '));
    await fc.assert(
      fc.asyncProperty(fc.array(address, { minLength: 20, maxLength: 20 }), async (paths) => {
        const answers = await Promise.all(paths.map(async (path) => ({ path, ...(await ask(path)) })));
        for (const { path, status, text } of answers) {
          expect(status, path).toBeGreaterThanOrEqual(200);
          expect(text, path).not.toContain(SECRET);
          expect(text, path).not.toMatch(/root:|"rotune"|\[core\]/);
          if (text.endsWith('given')) expect(addresses[0]).toBe(new URL(path, 'http://localhost').pathname);
        }
      }),
      { numRuns: depth(40, 150) },
    );
  }, 60_000);
});

describe('a range header', () => {
  it.each([
    [undefined, 10, 'all'],
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=3-', 10, { start: 3, end: 9 }],
    ['bytes=3-99', 10, { start: 3, end: 9 }],
    ['bytes=-4', 10, { start: 6, end: 9 }],
    ['bytes=-99', 10, { start: 0, end: 9 }],
    ['bytes=10-', 10, null],
    ['bytes=-0', 10, null],
    ['bytes=0-', 0, null],
    ['bytes=5-3', 10, 'all'],
    ['bytes=1-2,4-5', 10, 'all'],
    ['pages=1-2', 10, 'all'],
    ['bytes=-', 10, 'all'],
  ])('%j of %i bytes', (header, size, range) => {
    expect(byteRange(header, size)).toEqual(range);
  });
});
