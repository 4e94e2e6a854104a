/** @file The files of this build, as the service worker knows them: what is stored at install, what at first use, and under which names. */

/** What a build says of a file. */
export interface BuildFile {
  /** Below the app's folder. */
  readonly url: string;
  readonly sha256: string;
}

const SHA256 = /^[0-9a-f]{64}$/;

/** The build's list as workbox puts it in: what it says nothing of is left out. */
export function filesOf(
  manifest: readonly (string | { readonly url: string; readonly revision: string | null })[],
): readonly BuildFile[] {
  return manifest.flatMap((entry) =>
    typeof entry !== 'string' && entry.revision !== null && SHA256.test(entry.revision)
      ? [{ url: entry.url, sha256: entry.revision }]
      : [],
  );
}

/** What a run needs but the first screen does not: big, so never fetched before it is asked for. All else is stored at install. */
export const isLarge = (url: string): boolean =>
  /^(models|data)\//.test(url) || /\.(wasm|gz|mjs)$/.test(url) || /\/ort[.-]/.test(url);

/** What cannot be fetched is looked for under its path alone: query and fragment name nothing of ours. */
export function pathOf(address: string, scope: string): string | null {
  const { origin, pathname } = new URL(address);
  const base = new URL(scope);
  if (origin !== base.origin || !pathname.startsWith(base.pathname)) return null;
  const path = pathname.slice(base.pathname.length);
  try {
    return path === '' ? 'index.html' : decodeURIComponent(path);
  } catch {
    return null;
  }
}
