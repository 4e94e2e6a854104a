/** @file A web server of test files that can be told to misbehave. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Served {
  readonly url: string;
  /** By path, with a leading slash. */
  readonly files: Map<string, Uint8Array>;
  readonly requests: { readonly path: string; readonly range: string | null; readonly method: string }[];
  readonly manners: {
    /** Answers ranges. */
    ranges: boolean;
    /** Says how long a file is. */
    lengths: boolean;
    /** Breaks the connection off after so many bytes of an answer, so many times. */
    breakAfter: { bytes: number; times: number } | null;
    etag: string | null;
    status: number | null;
    type: string;
  };
  close(): Promise<void>;
}

export async function serve(files: Readonly<Record<string, Uint8Array>>): Promise<Served> {
  const manners: Served['manners'] = {
    ranges: true,
    lengths: true,
    breakAfter: null,
    etag: '"1"',
    status: null,
    type: 'application/octet-stream',
  };
  const content = new Map(Object.entries(files));
  const requests: Served['requests'] = [];

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(new URL(request.url!, 'http://x').pathname);
    const range = request.headers.range ?? null;
    // Other pages may read, as they may at most hosts of models.
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', 'Content-Range, ETag');
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Headers', 'Range');
      response.writeHead(204).end();
      return;
    }
    requests.push({ path, range, method: request.method! });
    const whole = content.get(path);
    if (manners.status !== null || !whole) {
      response.writeHead(manners.status ?? 404).end();
      return;
    }
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
    const partial = manners.ranges && range !== null;
    const start = partial ? Number(from) : 0;
    const end = partial && to !== '' ? Math.min(Number(to) + 1, whole.byteLength) : whole.byteLength;
    if (partial && start >= whole.byteLength) {
      response.writeHead(416).end();
      return;
    }
    const part = whole.subarray(start, end);
    response.writeHead(partial ? 206 : 200, {
      'Content-Type': manners.type,
      ...(manners.etag !== null && { ETag: manners.etag }),
      ...(manners.lengths && { 'Content-Length': part.byteLength }),
      ...(partial && manners.lengths && { 'Content-Range': `bytes ${start}-${end - 1}/${whole.byteLength}` }),
    });
    const breaks = manners.breakAfter;
    if (breaks && breaks.times > 0 && part.byteLength > breaks.bytes) {
      breaks.times--;
      // Browsers throw away what they have not handed on when a line breaks, and no server can see what they have.
      response.write(part.subarray(0, breaks.bytes), () => setTimeout(() => response.destroy(), 100));
    } else response.end(request.method === 'HEAD' ? undefined : part);
  }

  const server = createServer(answer);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    files: content,
    requests,
    manners,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
