/** @file Hosts as people have them: with the headers or without, at the root or in a folder. A static server of a few lines, so that nothing of ours helps. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { ROOT } from '../../scripts/ensure.mjs';

export interface HostOptions {
  /** Sends the headers that isolate the page. */
  readonly headers: boolean;
  /** Where the page lies: '/', or '/folder/'. Elsewhere is nothing. */
  readonly path: string;
  /** A name that browsers do not trust as their own machine: the page is then one over plain http. */
  readonly name?: string;
  /** The built page; left out: the one in dist/. */
  readonly folder?: string;
}

export interface Host {
  /** Address of the page. */
  readonly url: string;
  /** From now on nobody answers. */
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
};

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Serves the built page on a free port: a new origin, where no browser has been. */
export async function hostPage({
  headers,
  path,
  name = 'localhost',
  folder = join(ROOT, 'dist'),
}: HostOptions): Promise<Host> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const inside = pathname.startsWith(path) ? pathname.slice(path.length) || 'index.html' : null;
    const file = inside === null || inside.includes('..') ? null : join(folder, decodeURIComponent(inside));
    if (file === null || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end('not found');
      return;
    }
    response.writeHead(200, {
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      ...(headers && ISOLATION),
    });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://${name}:${port}${path}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
