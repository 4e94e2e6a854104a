/** @file Hosts as people have them: with the headers or without, at the root or in a folder. A static server of a few lines, so that nothing of ours helps. */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { ROOT } from '../../scripts/ensure.mjs';

export interface HostOptions {
  /** Sends the headers that the build asks for (dist/_headers); for a page at the root. */
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

/**
 * What a file `_headers` says of an address path, as Netlify and Cloudflare read it: every rule that fits adds its lines, and what two rules say of one
 * header is joined.
 */
export function headersAt(file: string, path: string): Headers {
  const found = new Headers();
  let fits = false;
  for (const line of file.split('\n')) {
    const [, name, value = ''] = /^\s+([\w-]+): (.*)$/.exec(line) ?? [];
    if (name === undefined) fits = line.endsWith('*') ? path.startsWith(line.slice(0, -1)) : path === line;
    else if (fits) found.append(name, value);
  }
  return found;
}

/** Serves the built page on a free port: a new origin, where no browser has been. */
export async function hostPage({
  headers,
  path,
  name = 'localhost',
  folder = join(ROOT, 'dist'),
}: HostOptions): Promise<Host> {
  const asked = headers ? readFileSync(join(folder, '_headers'), 'utf8') : '';
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const inside = pathname.startsWith(path) ? pathname.slice(path.length) || 'index.html' : null;
    const file = inside === null || inside.includes('..') ? null : join(folder, decodeURIComponent(inside));
    if (file === null || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end('not found');
      return;
    }
    if (headers) response.setHeaders(headersAt(asked, pathname));
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
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
