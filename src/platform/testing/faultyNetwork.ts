/** @file A network that fails in every way that networks do, as `fetch`. */

export const FAULTS = [
  '500',
  '503',
  'reset at once',
  'reset in the middle',
  'truncated',
  'truncated unsaid',
  'HTML',
  'empty',
  'flipped bit',
  'wrong length',
  'stalled at once',
  'stalled in the middle',
  'offline in the middle',
] as const;

export type Fault = (typeof FAULTS)[number];

const numbers = (length: number, seed: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, i) => (i * seed + (i >> 3)) % 251);
const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);

/** What is fetched of our own origin, by kind. */
export const KINDS: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  'a model': numbers(5000, 7),
  'a pack of data': numbers(3000, 11),
  'a WebAssembly module': numbers(8000, 13),
  'a module script': text(`export const answer = 42;\n${'// filling\n'.repeat(100)}`),
  'a list of files': text(JSON.stringify({ files: [{ path: 'model.onnx', size: 5000 }] })),
};

const PAGE = '<!doctype html><title>Sign in to the network</title>';

export interface Asked {
  readonly url: string;
  readonly cache: RequestCache | undefined;
  readonly headers: Headers;
}

/**
 * A host that answers with the fault so many times, and rightly then. "Offline in the middle" is a break, and no answer to the next two requests.
 * @param contentOf what lies at an address; null: nothing
 */
export function faultyFetch(
  contentOf: (url: string) => Uint8Array<ArrayBuffer> | null,
  fault: Fault | 'none',
  times: number,
) {
  const asked: Asked[] = [];
  let left = times;
  let offline = 0;

  const respond = (url: string, { headers: given, signal }: RequestInit): Promise<Response> => {
    const content = contentOf(url);
    if (!content) return Promise.resolve(new Response('not found', { status: 404 }));
    const network = (): TypeError => new TypeError('network error');
    if (offline > 0) {
      offline--;
      return Promise.reject(network());
    }
    const from = Number(/^bytes=(\d+)-$/.exec(new Headers(given).get('range') ?? '')?.[1] ?? 0);
    const rest = content.subarray(from);
    const headers = new Headers({ etag: '"1"', 'content-length': `${rest.length}` });
    if (from > 0) headers.set('content-range', `bytes ${from}-${content.length - 1}/${content.length}`);
    const status = from > 0 ? 206 : 200;
    const whole = (body: Uint8Array<ArrayBuffer>, length: number | null = body.length): Response => {
      if (length === null) headers.delete('content-length');
      else headers.set('content-length', `${length}`);
      return new Response(body, { status, headers });
    };
    /** Half of it, and then what is done with the stream. */
    const half = (then: (stream: ReadableStreamDefaultController<Uint8Array>) => void): Response => {
      let sent = false;
      const body = new ReadableStream<Uint8Array>({
        pull(stream) {
          if (sent) then(stream);
          else stream.enqueue(rest.slice(0, rest.length >> 1));
          sent = true;
        },
      });
      return new Response(body, { status, headers });
    };
    if (fault === 'none' || left === 0) return Promise.resolve(whole(rest.slice()));
    left--;
    switch (fault) {
      case '500':
      case '503':
        return Promise.resolve(new Response('out of order', { status: Number(fault) }));
      case 'reset at once':
        return Promise.reject(network());
      case 'reset in the middle':
        return Promise.resolve(half((stream) => stream.error(network())));
      case 'offline in the middle':
        offline = 2;
        return Promise.resolve(half((stream) => stream.error(network())));
      case 'truncated':
        return Promise.resolve(half((stream) => stream.close()));
      case 'truncated unsaid':
        return Promise.resolve(whole(rest.slice(0, rest.length >> 1)));
      case 'HTML': {
        headers.set('content-type', 'text/html');
        headers.delete('content-range');
        const page = text(PAGE);
        headers.set('content-length', `${page.length}`);
        return Promise.resolve(new Response(page, { headers }));
      }
      case 'empty':
        return Promise.resolve(whole(new Uint8Array(0)));
      case 'wrong length':
        return Promise.resolve(whole(Uint8Array.from([...rest, 1, 2, 3])));
      case 'flipped bit': {
        const wrong = rest.slice();
        wrong[wrong.length >> 1]! ^= 4;
        return Promise.resolve(whole(wrong));
      }
      case 'stalled at once':
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(network())));
      case 'stalled in the middle':
        return Promise.resolve(half(() => undefined));
    }
  };

  const fetch: typeof globalThis.fetch = (input: RequestInfo | URL, init: RequestInit = {}) => {
    const url = input instanceof Request ? input.url : String(input);
    asked.push({ url, cache: init.cache, headers: new Headers(init.headers) });
    return respond(url, init);
  };
  return { fetch, asked };
}
