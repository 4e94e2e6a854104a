/** @file Serves the repository's public/ folder to `fetch` in Node tests. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const base = new URL('http://rotune.test/app/');

const root = new URL('../../../public/', import.meta.url);

/** Stands in for `fetch`; `served` counts the requests by path. */
export function publicFetch(served: Map<string, number> = new Map()): typeof fetch {
  return (input) => {
    const { href } = new URL(input instanceof Request ? input.url : String(input));
    const path = href.slice(base.href.length);
    served.set(path, (served.get(path) ?? 0) + 1);
    try {
      const bytes = readFileSync(fileURLToPath(new URL(path, root)));
      return Promise.resolve(new Response(new Uint8Array(bytes)));
    } catch {
      return Promise.resolve(new Response('not found', { status: 404 }));
    }
  };
}
