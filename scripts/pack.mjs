/**
 * @file Makes a build light to fetch: the runtime's WebAssembly compressed (static hosts seldom do), built-in data of many small files in one file, and a
 * list of what a run will fetch, so that the page can say so before.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { foldersIn, listingOf, packOf, sha256 } from './ownFiles.mjs';

/** The file compressed as well as gzip can; kept, since it takes seconds. @param {string} file */
function gzipped(file) {
  const { size, mtimeMs } = statSync(file);
  const kept = join('node_modules/.cache/rotune', `${basename(file)}-${size}-${Math.round(mtimeMs)}.gz`);
  try {
    return readFileSync(kept);
  } catch {
    const packed = gzipSync(readFileSync(file), { level: constants.Z_BEST_COMPRESSION });
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(kept, packed);
    return packed;
  }
}

/**
 * `import module from '….wasm?packed'` gives { url, bytes, packed, file }: the file's address, what is fetched there, whether it is gzip, and its SHA-256
 * (packed, and unpacked). `'….mjs?hashed'` gives { url, file } of a file as it is. While developing nothing is packed, and
 * `file` is null: the server changes what it serves.
 * @returns {import('vite').Plugin}
 */
export function packedModules() {
  let building = false;
  return {
    name: 'rotune-packed-modules',
    enforce: 'pre',
    configResolved(config) {
      building = config.command === 'build';
    },
    async resolveId(source, importer) {
      const [, path, kind] = /^(.*)\?(packed|hashed)$/.exec(source) ?? [];
      if (path === undefined) return null;
      const found = await this.resolve(path, importer, { skipSelf: true });
      // The server adds a version to scripts.
      return found ? `${found.id.replace(/\?.*$/, '')}?${kind}` : null;
    },
    load(id) {
      const [, path, kind] = /^(.*)\?(packed|hashed)$/.exec(id) ?? [];
      if (path === undefined) return null;
      const plain = sha256(readFileSync(path));
      const address = `import url from ${JSON.stringify(`${path}?url`)};\n`;
      const file = building ? JSON.stringify({ sha256: plain }) : 'null';
      if (kind === 'hashed') return `${address}export default { url, file: ${file} };`;
      if (!building)
        return `${address}export default { url, bytes: ${statSync(path).size}, packed: false, file: ${file} };`;
      const source = gzipped(path);
      const reference = this.emitFile({ type: 'asset', name: `${basename(path)}.gz`, source });
      const both = JSON.stringify({ sha256: sha256(source), unpacked: plain });
      return `export default { url: import.meta.ROLLUP_FILE_URL_${reference}, bytes: ${source.length}, packed: true, file: ${both} };`;
    },
  };
}

/**
 * Keeps each worker's script apart from its code, which becomes a chunk of its own: parts that are loaded later then import that, never the script
 * (workers/trainer.worker.ts says why).
 * @param {Readonly<Record<string, string>>} codes by the script's file name, without .worker.ts: the module that it imports
 * @returns {import('vite').Plugin}
 */
export function separateEntries(codes) {
  return {
    name: 'rotune-separate-entries',
    apply: 'build',
    buildStart({ input }) {
      // Each worker is a bundle of its own. Vite starts the first file of the bundle, by name: the script must come before its code.
      for (const script of Object.values(input)) {
        const code = codes[basename(script).replace(/\.worker\.ts.*$/, '')];
        if (code === undefined) this.error(`${script} has no module of its own in vite.config.ts.`);
        this.emitFile({ type: 'chunk', id: code, name: 'workerCode' });
      }
    },
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((part) => part.type === 'chunk');
      const scripts = chunks.filter(({ facadeModuleId }) => facadeModuleId?.includes('.worker.ts'));
      for (const { fileName, imports, dynamicImports, isEntry } of chunks)
        for (const script of scripts) {
          if (isEntry && fileName < script.fileName)
            this.error(`${fileName} would be started in place of ${script.fileName}.`);
          if ([...imports, ...dynamicImports].includes(script.fileName))
            this.error(`${fileName} imports the worker's script ${script.fileName}.`);
        }
    },
  };
}

/** Puts a folder's files into one, in the order of its list. Returns its bytes. @param {string} folder */
function packFolder(folder) {
  const { pack, list } = packOf(folder);
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'files.pack'), pack);
  writeFileSync(join(folder, 'files.json'), list);
  return pack.length;
}

/**
 * Packs dist/data, and writes dist/sizes.json (src/app/run/sizes.ts reads it).
 * @returns {import('vite').Plugin}
 */
export function packedData() {
  return {
    name: 'rotune-packed-data',
    apply: 'build',
    // Before the service worker's list of files is made, in closeBundle.
    writeBundle: {
      order: 'post',
      handler(options) {
        const dist = options.dir;
        if (!dist || !statSync(join(dist, 'data'), { throwIfNoEntry: false })) return;
        /** @type {Record<string, number>} */
        const folders = {};
        for (const name of foldersIn(join(dist, 'data')))
          folders[`data/${name}`] = packFolder(join(dist, 'data', name));
        for (const name of foldersIn(join(dist, 'models')))
          folders[`models/${name}`] = listingOf(join(dist, 'models', name)).files.reduce(
            (n, { size }) => n + size,
            0,
          );
        const assets = readdirSync(join(dist, 'assets'));
        const size = (/** @type {RegExp} */ pattern) =>
          assets
            .filter((name) => pattern.test(name))
            .reduce((n, name) => n + statSync(join(dist, 'assets', name)).size, 0);
        const runtime = {
          wasm: size(/^ort-wasm-simd-threaded-[^.]+\.wasm\.gz$|^ort-wasm-simd-threaded\.wasm.*\.gz$/),
          jspi: size(/\.jspi.*\.gz$/),
          webgpu: size(/\.asyncify.*\.gz$/),
        };
        writeFileSync(
          join(dist, 'sizes.json'),
          JSON.stringify({ runtime, folders, code: size(/^trainer[.-].*\.js$/) }),
        );
      },
    },
  };
}
