/** @file A small static server for dist/ with the headers that isolate and bind the page (policy.mjs). Imports nothing but Node. */
import { constants } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ensureBuild, ROOT } from './ensure.mjs';
import { headersFor } from './policy.mjs';

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

/**
 * The file that an address path means below a folder, or null. No link leads out of the folder.
 * @param {string} folder
 * @param {string} path decoded address path below it
 */
async function fileAt(folder, path) {
  if (path.includes('\0')) return null;
  try {
    const base = await realpath(folder);
    let file = await realpath(join(base, normalize(path)));
    if ((await stat(file)).isDirectory()) file = await realpath(join(file, 'index.html'));
    return file.startsWith(base + sep) ? file : null;
  } catch {
    return null;
  }
}

/**
 * Which bytes a `Range: bytes=…` header asks for within `size` (RFC 9110, 14.1.2): first and last; 'all' where there is none that is understood,
 * null where none of it is there.
 * @param {string | undefined} header @param {number} size
 */
export function byteRange(header, size) {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return 'all';
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== '' && to !== '' && Number(from) > Number(to)) return 'all';
  return start <= end ? { start, end } : null;
}

/** Names that mean this machine: a page of another host whose name leads here (DNS rebinding) has none of them. @param {string | undefined} host */
const isLoopback = (host) =>
  /^(localhost|[a-z0-9-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host ?? '');

/**
 * Serves dist/ on the loopback address until closed.
 * @param {{ port?: number, host?: string, isolated?: boolean, files?: ReadonlyMap<string, string> }} [options]
 *   port 0: a free one; host: the address to listen on; isolated false: as a host that sends no headers; files: address path → file, the only ones
 *   outside of dist/ that are given out
 * @returns {Promise<{ port: number, origin: string, close(): Promise<void> }>}
 */
export function serve(options = {}) {
  const { host = '127.0.0.1', isolated = true, files = new Map() } = options;
  const onLoopback = isLoopback(host.includes(':') ? `[${host}]` : host);

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async function answer(request, response) {
    let headers = isolated ? headersFor('/') : {};
    /** @param {number} status @param {string} words @param {Record<string, string>} [more] */
    const refuse = (status, words, more = {}) =>
      void response.writeHead(status, { ...headers, ...more, 'Content-Type': 'text/plain' }).end(words);
    let path;
    try {
      path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    } catch {
      return refuse(400, 'bad address');
    }
    if (isolated) headers = headersFor(path);
    const given = files.get(path);
    if ((onLoopback || given !== undefined) && !isLoopback(request.headers.host))
      return refuse(421, 'not this host');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, 'only GET and HEAD');
    const file = given ?? (await fileAt(join(ROOT, 'dist'), path));
    // Opened once: what is measured is what is sent, whatever becomes of the name meanwhile.
    const handle =
      file === null
        ? null
        : await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch(() => null);
    if (file === null || handle === null) return refuse(404, 'not found');
    try {
      const found = await handle.stat();
      const range = byteRange(request.headers.range, found.size);
      if (!found.isFile()) return refuse(404, 'not found');
      if (range === null) return refuse(416, 'no such range', { 'Content-Range': `bytes */${found.size}` });
      response.writeHead(range === 'all' ? 200 : 206, {
        ...headers,
        'Content-Type':
          TYPES[extname(path).toLowerCase()] ?? TYPES[extname(file)] ?? 'application/octet-stream',
        'Content-Length': range === 'all' ? found.size : range.end - range.start + 1,
        'Accept-Ranges': 'bytes',
        // Tells whether the rest of a broken download belongs to its beginning.
        ETag: `"${found.size.toString(16)}-${Math.round(found.mtimeMs).toString(16)}"`,
        'Cache-Control': 'no-cache',
        ...(range === 'all' ? {} : { 'Content-Range': `bytes ${range.start}-${range.end}/${found.size}` }),
      });
      if (request.method === 'HEAD') response.end();
      else
        await pipeline(
          handle.createReadStream({ autoClose: false, ...(range === 'all' ? {} : range) }),
          response,
        );
    } finally {
      await handle.close();
    }
  }

  const server = createServer((request, response) => {
    // A reader that went away, or a file that shrank: nobody is left to tell.
    answer(request, response).catch(() => response.destroy());
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
