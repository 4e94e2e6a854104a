/** @file What the service worker answers with: stored files, whole or by range, with the headers of policy.mjs. */
import { headersFor } from '../../scripts/policy.mjs';

/** The same response with the headers that isolate and bind the page, or a worker, at this address. Opaque ones stay as they are. */
export function guarded(
  address: string,
  response: Response,
  more: Readonly<Record<string, string>> = {},
): Response {
  if (response.type === 'opaque' || response.type === 'opaqueredirect' || response.status === 0)
    return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries({ ...headersFor(new URL(address).pathname), ...more }))
    headers.set(name, value);
  const { status, statusText } = response;
  const empty = status === 101 || status === 204 || status === 205 || status === 304;
  return new Response(empty ? null : response.body, { status, statusText, headers });
}

/** A whole file, which says how long it is. */
export const whole = (file: Blob): Response =>
  new Response(file, {
    headers: {
      'Content-Type': file.type || 'application/octet-stream',
      'Content-Length': `${file.size}`,
    },
  });

/** What `Range: bytes=a-b` asks of a stored whole file; other ranges get all of it. */
export async function ranged(stored: Response, range: string | null): Promise<Response> {
  const [, first = '', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === '') return stored;
  const file = await stored.blob();
  const start = Number(first);
  if (start >= file.size)
    return new Response(null, { status: 416, headers: { 'Content-Range': `bytes */${file.size}` } });
  const end = last === '' ? file.size - 1 : Math.min(Number(last), file.size - 1);
  return new Response(file.slice(start, end + 1), {
    status: 206,
    headers: {
      'Content-Range': `bytes ${start}-${end}/${file.size}`,
      'Content-Length': `${end - start + 1}`,
    },
  });
}
