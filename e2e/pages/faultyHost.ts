/** @file A host of the built page that fails as it is told, and can serve another build from one moment to the next. */
import { createHash } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/ensure.mjs';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  mjs: 'text/javascript',
  css: 'text/css',
  json: 'application/json',
  svg: 'image/svg+xml',
  png: 'image/png',
  webmanifest: 'application/manifest+json',
};

export type Build = ReadonlyMap<string, Buffer>;

/** The build that the other tests are served, by path. */
export function builtFiles(): Build {
  const dist = join(ROOT, 'dist');
  const paths = readdirSync(dist, { recursive: true, encoding: 'utf8' });
  return new Map(
    paths
      .filter((path) => statSync(join(dist, path)).isFile())
      .map((path) => [path.replaceAll('\\', '/'), readFileSync(join(dist, path))]),
  );
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/**
 * The same build after a change to the chunk of that name: other file names of it and all that leads to it, as bundlers give them, and so other hashes and
 * another service worker.
 */
export function changedBuild(build: Build, chunk: RegExp): Build {
  const texts = new Map(
    [...build].flatMap(([path, bytes]) =>
      /\.(js|html)$/.test(path) ? [[path, bytes.toString()] as const] : [],
    ),
  );
  const nameOf = (path: string): string => path.replace(/^.*\//, '');
  const others = new Set([nameOf([...build.keys()].find((path) => chunk.test(path))!)]);
  // A set gives what is added to it on the way, too.
  for (const name of others)
    for (const [path, text] of texts)
      if (path.startsWith('assets/') && text.includes(name)) others.add(nameOf(path));
  const renamed = (text: string): string => {
    let changed = text;
    for (const name of others) changed = changed.replaceAll(name, name.replace(/.{4}\.js$/, 'next.js'));
    return changed;
  };
  const changed = new Map<string, Buffer>();
  const hashes: [string, string][] = [];
  for (const [path, bytes] of build) {
    const text = texts.get(path);
    const other = text === undefined ? bytes : Buffer.from(renamed(text));
    changed.set(renamed(path), other);
    if (!other.equals(bytes)) hashes.push([sha256(bytes), sha256(other)]);
  }
  let worker = changed.get('service-worker.js')!.toString();
  for (const [before, after] of hashes) worker = worker.replaceAll(before, after);
  return changed.set('service-worker.js', Buffer.from(worker));
}

/**
 * How an answer fails: half of it with a length that says it is whole, a page instead, a break in the middle, an error, no answer at all, half of it and
 * then silence, a length that is not the content's, other bytes, another address that answers with a page.
 */
export const FAULTS = [
  ...(['truncated', 'HTML', 'break', '500', '404'] as const),
  ...(['reset', 'stalled', 'length', 'bytes', 'redirect'] as const),
] as const;
export type Fault = (typeof FAULTS)[number];

export class FaultyHost {
  build: Build;
  /** Faults by path, in turn. */
  readonly faults = new Map<string, Fault[]>();
  /** Faults by path that last until they are taken out. */
  readonly lasting = new Map<string, Fault>();
  /** Nothing is answered: the line is dead. */
  down = false;
  readonly asked: string[] = [];
  readonly #server: Server;

  constructor(build: Build = builtFiles()) {
    this.build = build;
    this.#server = createServer((request, response) => {
      const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1);
      this.#answer(path === '' ? 'index.html' : path, request.headers.range, response);
    });
  }

  #answer(path: string, range: string | undefined, response: ServerResponse): void {
    this.asked.push(path);
    if (this.down) {
      response.destroy();
      return;
    }
    const bytes = path === 'sign-in' ? Buffer.from('<!doctype html>Sign in') : this.build.get(path);
    const headers = {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Cache-Control': 'no-cache',
      'Content-Type': TYPES[path.split('.').at(-1)!] ?? 'application/octet-stream',
    };
    if (!bytes) {
      response.writeHead(404, headers).end('not found');
      return;
    }
    const half = bytes.subarray(0, bytes.length >> 1);
    const fault = this.faults.get(path)?.shift() ?? this.lasting.get(path);
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const etag = `"${sha256(bytes).slice(0, 16)}"`;
    if (fault === '500') response.writeHead(500, headers).end('out of order');
    else if (fault === '404') response.writeHead(404, headers).end('not found');
    else if (fault === 'reset') response.socket?.resetAndDestroy();
    else if (fault === 'redirect') response.writeHead(302, { ...headers, Location: '/sign-in' }).end();
    else if (fault === 'stalled')
      response.writeHead(200, { ...headers, 'Content-Length': bytes.length }).write(half);
    else if (fault === 'length') {
      response.writeHead(200, { ...headers, 'Content-Length': bytes.length + 1000 });
      response.write(bytes, () => setTimeout(() => response.destroy(), 300));
    } else if (fault === 'bytes') {
      const other = Buffer.from(bytes);
      for (let i = 0; i < 64; i++) other[Math.floor(((i + 0.5) * other.length) / 64)]! ^= 1;
      response.writeHead(200, { ...headers, 'Content-Length': other.length }).end(other);
    } else if (fault === 'truncated')
      response.writeHead(200, { ...headers, 'Content-Length': half.length }).end(half);
    else if (fault === 'HTML')
      response.writeHead(200, { ...headers, 'Content-Type': TYPES['html'] }).end('<!doctype html>Sign in');
    else if (fault === 'break') {
      response.writeHead(200, { ...headers, ETag: etag, 'Content-Length': bytes.length });
      response.write(half, () => setTimeout(() => response.destroy(), 300));
    } else if (from > 0)
      response
        .writeHead(206, {
          ...headers,
          ETag: etag,
          'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
        })
        .end(bytes.subarray(from));
    else response.writeHead(200, { ...headers, ETag: etag, 'Content-Length': bytes.length }).end(bytes);
  }

  async open(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
