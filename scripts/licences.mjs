/** @file licences.txt: Rotune's notice, and the licence of every package that a build carries, as its own files have it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './ensure.mjs';

/** @typedef {{ name: string, version: string, license?: string, author?: string | { name?: string }, homepage?: string, repository?: string | { url?: string }, dependencies?: Record<string, string> }} Manifest */

const NAME = 'licences.txt';
const RULE = '-'.repeat(80);

/** @param {string} folder @returns {Manifest} */
const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** As Node finds it: in the folder's own node_modules, or in one above. @param {string} name @param {string} from */
function folderOf(name, from) {
  for (let place = from; ; place = dirname(place)) {
    const folder = join(place, 'node_modules', name);
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (place === dirname(place)) throw new Error(`${name} is not installed.`);
  }
}

/** Folders of all packages that are shipped, and of those that they need. */
export function shippedPackages() {
  /** @type {Map<string, Manifest>} */
  const found = new Map();
  /** @param {string} name @param {string} from */
  const walk = (name, from) => {
    // Types are no code.
    if (name.startsWith('@types/')) return;
    const folder = folderOf(name, from);
    if (found.has(folder)) return;
    const manifest = manifestOf(folder);
    found.set(folder, manifest);
    for (const needed of Object.keys(manifest.dependencies ?? {})) walk(needed, folder);
  };
  for (const name of Object.keys(manifestOf(ROOT).dependencies ?? {})) walk(name, ROOT);
  return found;
}

/** @param {Manifest} manifest */
const authorOf = ({ author, name }) =>
  (typeof author === 'string' ? author : author?.name) ?? `The authors of ${name}`;

/** Of packages that name their licence and bring no file: whose copyright it is, as their sources say. @type {Readonly<Record<string, string>>} */
const HOLDERS = { '@bufbuild/protobuf': '2008 Google Inc., 2021-2026 Buf Technologies, Inc.' };

/** The text of a licence by its name. @param {string} id @param {string} holder */
function standard(id, holder) {
  if (id === 'Apache-2.0')
    return `Copyright (c) ${holder}\n\nApache License 2.0, whose text stands at the head of this file.`;
  const file = join(ROOT, 'scripts/licences', `${id}.txt`);
  return existsSync(file) ? readFileSync(file, 'utf8').replace('{holder}', holder).trim() : null;
}

/** The texts of a package's licence and notices. Throws where neither a file nor a name says under which it is. @param {string} folder @param {Manifest} manifest */
export function licenceOf(folder, manifest) {
  const files = readdirSync(folder)
    .filter((name) => /^(licen[cs]e|copying|notice|third.?party.?notices?)([.-].*)?$/i.test(name))
    .sort();
  if (files.some((name) => !/^notice/i.test(name)))
    return files
      .map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim())
      .join('\n\n');
  const named = (manifest.license ?? '').split(/[()\s]+|\bAND\b/).filter(Boolean);
  const holder = HOLDERS[manifest.name] ?? authorOf(manifest);
  const texts = named.map((id) => standard(id, holder));
  if (texts.length > 0 && texts.every((text) => text !== null)) return texts.join('\n\n');
  throw new Error(`${manifest.name} has no file with its licence (${manifest.license ?? 'none named'}).`);
}

/** Notices that a package brings in a file of their own. */
const NOTICES = /^third.?party.?notices?([.-].*)?$/i;

/**
 * What of a package was compiled from code of others, and where their notices are, where it does not bring these itself; '': nothing.
 * @param {string} folder @param {Manifest} manifest
 */
export function compiledIn(folder, { name, version }) {
  if (name !== 'onnxruntime-web' || readdirSync(folder).some((file) => NOTICES.test(file))) return '';
  return `
The WebAssembly binaries of this package (ort-wasm-*.wasm) were compiled from ONNX Runtime's source, and contain code of third
parties. The package has no notices of theirs: its maker publishes them in the file ThirdPartyNotices.txt of that source,
https://github.com/microsoft/onnxruntime, with each release. This is release ${version}.
`;
}

/** The whole file: the same for the same packages. */
export function licencesText() {
  const packages = [...shippedPackages()]
    .map(([folder, manifest]) => ({ title: `${manifest.name} ${manifest.version}`, manifest, folder }))
    .sort((a, b) => (a.title < b.title ? -1 : a.title > b.title ? 1 : 0));
  const own = ['NOTICE', 'LICENSE'].map((name) => readFileSync(join(ROOT, name), 'utf8').trim()).join('\n\n');
  const parts = packages.map(
    ({ title, manifest, folder }) =>
      `${RULE}\n${title}${manifest.license ? ` (${manifest.license})` : ''}\n${manifest.homepage ?? ''}\n\n${licenceOf(folder, manifest)}\n${compiledIn(folder, manifest)}`,
  );
  return [`${own}\n`, `${RULE}\nRotune is built with these packages.\n`, ...parts].join('\n');
}

/**
 * Puts licences.txt into a build, and serves it while developing.
 * @returns {import('vite').Plugin}
 */
export function shippedLicences() {
  return {
    name: 'rotune-licences',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        if (request.url?.split('?')[0] !== `/${NAME}`) return next();
        response.setHeader('Content-Type', 'text/plain; charset=utf-8');
        response.end(licencesText());
      });
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: NAME, source: licencesText() });
    },
  };
}
