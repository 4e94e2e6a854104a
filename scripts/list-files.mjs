/** @file Regenerates files.json in each built-in folder: a static host lists no folders, so the page reads this instead. */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folders = ['public/models', 'public/data'].flatMap((parent) =>
  readdirSync(join(root, parent))
    .sort()
    .map((name) => `${parent}/${name}`),
);

for (const folder of folders) {
  const base = join(root, folder);
  const files = readdirSync(base, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && entry.name !== 'files.json')
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path: relative(base, path).split(sep).join('/'), size: statSync(path).size };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  writeFileSync(join(base, 'files.json'), `${JSON.stringify({ name: folder.split('/').at(-1), files })}\n`);
  console.log(`${folder}: ${files.length} files`);
}
