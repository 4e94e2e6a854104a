/**
 * @file What the build knows of its own files: SHA-256 by path. The list of built-in models and data goes into the worker's code, that of all files into the
 * service worker's; the page's programs hold what comes to it (src/platform/ownFile.ts).
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of a folder of built-in files, as scripts/list-files.mjs writes it. @typedef {{ name: string, pack?: number, files: { path: string, size: number }[] }} Listing */
/** @typedef {{ url: string, revision: string | null, size: number }} Entry */

/** Hexadecimal. @param {Uint8Array | string} bytes */
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {string} folder @returns {Listing} */
export const listingOf = (folder) => JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8'));

/** A folder's files as one, in the order of its list, and the list that says so. @param {string} folder */
export function packOf(folder) {
  const listing = listingOf(folder);
  const pack = Buffer.concat(listing.files.map(({ path }) => readFileSync(join(folder, path))));
  return { pack, list: JSON.stringify({ ...listing, pack: pack.length }) };
}

/** @param {string} folder */
export const foldersIn = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? [entry.name] : [],
      )
    : [];

/**
 * All built-in models and data, as a build serves them, by their paths below the app's folder: models file by file, data packed.
 * @param {string} [from] the folder with models/ and data/
 * @returns {Record<string, { sha256: string }>}
 */
export function builtInFiles(from = 'public') {
  /** @type {Record<string, { sha256: string }>} */
  const known = {};
  for (const name of foldersIn(join(from, 'models'))) {
    const folder = join(from, 'models', name);
    for (const path of ['files.json', ...listingOf(folder).files.map((file) => file.path)])
      known[`models/${name}/${path}`] = { sha256: sha256(readFileSync(join(folder, path))) };
  }
  for (const name of foldersIn(join(from, 'data'))) {
    const { pack, list } = packOf(join(from, 'data', name));
    known[`data/${name}/files.json`] = { sha256: sha256(list) };
    known[`data/${name}/files.pack`] = { sha256: sha256(pack) };
  }
  return known;
}

/**
 * Every file of a build with its SHA-256 as revision, for the service worker.
 * @param {string} dist @param {readonly Entry[]} entries @param {Record<string, { sha256: string }>} known what the worker's code says of them
 * @returns {Entry[]}
 * @throws where the build's models and data are others than its code says: it would refuse them
 */
export function hashedEntries(dist, entries, known) {
  const hashed = entries.map((entry) => ({
    ...entry,
    revision: sha256(readFileSync(join(dist, entry.url))),
  }));
  const made = new Map(hashed.map(({ url, revision }) => [url, revision]));
  for (const [path, file] of Object.entries(known))
    if (made.get(path) !== file.sha256) throw new Error(`The build's ${path} is not what its code says.`);
  return hashed;
}
