/** @file A small static server for dist/ with the headers that make the page cross-origin isolated. Imports nothing but Node. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { ensureBuild, ROOT } from './ensure.mjs';

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.txt': 'text/plain; charset=utf-8',
};

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * The file that an address path means below a folder, or null.
 * @param {string} folder
 * @param {string} path decoded address path below it
 */
function fileAt(folder, path) {
  const base = resolve(folder);
  const file = join(base, normalize(path));
  if (file !== base && !file.startsWith(base + sep)) return null;
  if (!existsSync(file)) return null;
  if (!statSync(file).isDirectory()) return file;
  const index = join(file, 'index.html');
  return existsSync(index) ? index : null;
}

/** First and last byte of a `Range: bytes=a-b` header within `size`, or null. @param {string | undefined} header @param {number} size */
function byteRange(header, size) {
  const match = /^bytes=(\d+)-(\d*)$/.exec(header ?? '');
  if (!match) return null;
  const start = Number(match[1]);
  const end = Math.min(match[2] ? Number(match[2]) : size - 1, size - 1);
  return start <= end ? { start, end } : null;
}

/**
 * Serves folders on the loopback address until closed.
 * @param {{ port?: number, host?: string, isolated?: boolean, mounts?: Record<string, string> }} [options]
 *   port 0: a free one; isolated false: as a host that sends no headers; mounts: address prefix → folder, besides dist/ at /
 * @returns {Promise<{ port: number, origin: string, close(): Promise<void> }>}
 */
export function serve(options = {}) {
  const { host = '127.0.0.1', isolated = true } = options;
  const mounts = Object.entries(options.mounts ?? {});
  const server = createServer((request, response) => {
    let path;
    try {
      path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    } catch {
      response.writeHead(400).end();
      return;
    }
    const mount = mounts.find(([prefix]) => path.startsWith(prefix));
    const file = mount ? fileAt(mount[1], path.slice(mount[0].length)) : fileAt(join(ROOT, 'dist'), path);
    const headers = isolated ? ISOLATION : {};
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, headers).end();
      return;
    }
    if (file === null) {
      response.writeHead(404, { ...headers, 'Content-Type': 'text/plain' }).end('not found');
      return;
    }
    const { size } = statSync(file);
    const range = byteRange(request.headers.range, size);
    response.writeHead(range ? 206 : 200, {
      ...headers,
      'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
      'Content-Length': range ? range.end - range.start + 1 : size,
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'no-cache',
      ...(range ? { 'Content-Range': `bytes ${range.start}-${range.end}/${size}` } : {}),
    });
    if (request.method === 'HEAD') response.end();
    else
      createReadStream(file, range ?? {})
        .on('error', () => response.destroy())
        .pipe(response);
  });
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(options.port ?? 0, host, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      done({
        port,
        origin: `http://localhost:${port}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed(undefined));
            server.closeAllConnections();
          }),
      });
    });
  });
}

if (process.argv[1] === import.meta.filename) {
  const value = (/** @type {string} */ flag) => process.argv[process.argv.indexOf(flag) + 1];
  const port = process.argv.includes('--port') ? Number(value('--port')) : 4173;
  if (process.argv.includes('--build')) await ensureBuild();
  const server = await serve({ port, isolated: !process.argv.includes('--no-headers') });
  console.log(server.origin);
}
