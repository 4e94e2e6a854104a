/**
 * @file A folder tree as people have them, and what the tune command does in it, all but the training: whatever is theirs stays to the byte, and nothing
 * comes or goes outside of what the command made. INIT_CWD must be the case's `here` before the command's modules are imported.
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { beginRun } from '../tune/begin.mjs';
import type * as library from '../tune/library.ts';
import type { parseArguments } from '../tune/options.mjs';
import { type FolderCase, MARKER } from './folderTrees.ts';

/** The command's own parts. */
export interface Tune {
  readonly beginRun: typeof beginRun;
  readonly parseArguments: typeof parseArguments;
  readonly library: Pick<typeof library, 'readJob' | 'inputsOf'>;
  /** All that a run may write. */
  readonly results: readonly string[];
}

/** All that lies below a folder: kind, rights, times and bytes by path. */
export function seen(root: string, folder = root): Map<string, string> {
  const all = new Map<string, string>();
  for (const name of readdirSync(folder)) {
    const whole = join(folder, name);
    const found = lstatSync(whole);
    const rights = found.mode.toString(8);
    const at = relative(root, whole);
    if (found.isSymbolicLink()) all.set(at, `link to ${readlinkSync(whole)}`);
    else if (found.isDirectory()) {
      all.set(at, `folder ${rights}`);
      for (const [key, value] of seen(root, whole)) all.set(key, value);
    } else all.set(at, `file ${rights} ${found.mtimeMs} ${readFileSync(whole, 'latin1')}`);
  }
  return all;
}

/** A case's folder: what people put there, and what the command made. */
class Ground {
  readonly root: string;
  /** As it was put there. */
  readonly theirs = new Map<string, string>();
  /** Folders that are the command's with all that is in them. */
  readonly #rooms = new Set<string>();
  /** Files and folders that it made. */
  readonly #made = new Set<string>();

  constructor(root: string) {
    this.root = root;
  }

  #isOurs(at: string): boolean {
    return this.#made.has(at) || [...this.#rooms].some((room) => at === room || at.startsWith(`${room}/`));
  }

  /** People put below a folder what nothing stands in the way of, through no link, and nothing into a run's own folder. */
  put(list: FolderCase['before'], base = join(this.root, 'here')): void {
    const before = seen(this.root);
    for (const { path: name, kind, text, to, writable } of list) {
      const whole = join(base, name);
      if ([...this.#rooms].some((room) => `${relative(this.root, whole)}/`.startsWith(`${room}/`))) continue;
      try {
        mkdirSync(dirname(whole), { recursive: true });
        if (realpathSync(dirname(whole)) !== dirname(whole)) continue;
        if (kind === 'folder') mkdirSync(whole, { mode: writable ? 0o755 : 0o555 });
        else if (kind === 'link') symlinkSync(to, whole);
        else {
          writeFileSync(whole, kind === 'marker' ? MARKER : text, { flag: 'wx' });
          chmodSync(whole, writable ? 0o644 : 0o444);
        }
      } catch {
        // Something stands there already.
      }
    }
    for (const [at, what] of seen(this.root)) if (!before.has(at)) this.theirs.set(at, what);
  }

  /** A run began here. @param folder its real path */
  began(folder: string, aside: string | null): void {
    const at = relative(this.root, folder);
    this.#rooms.add(join(at, '.rotune'));
    if (aside !== null) this.#rooms.add(relative(this.root, aside));
    this.made(at);
  }

  /** With the folders that were made for it. @param path below the root */
  made(path: string): void {
    for (let at = path; at !== '.' && at !== ''; at = dirname(at)) this.#made.add(at);
  }

  /** Throws where a byte of theirs changed, or something is there that is nobody's. */
  check(what: string): void {
    const now = seen(this.root);
    for (const [at, was] of this.theirs)
      if (now.get(at) !== was) throw new Error(`${at} was ${was}, and is ${now.get(at) ?? 'gone'}: ${what}`);
    for (const at of now.keys())
      if (!this.theirs.has(at) && !this.#isOurs(at)) throw new Error(`${at} came to be: ${what}`);
  }
}

/** Begins and ends as `npm run tune` does, without the training between. Throws a refusal where it does. @returns whether all is as before */
async function run(
  { beginRun: begin, parseArguments: parse, library, results }: Tune,
  { out, adapter, job, resume, end, during }: FolderCase['commands'][number],
  ground: Ground,
): Promise<boolean> {
  const words = [
    ...(job === null ? [] : [job]),
    ...(out === null ? [] : ['--out', out]),
    ...(resume ? ['--resume'] : adapter === null ? [] : ['--adapter', adapter]),
  ];
  const { folder, given } = begin(parse(words), library);
  for (const input of Object.values(given.folders)) await library.inputsOf(input);
  mkdirSync(folder.profile, { recursive: true });
  writeFileSync(join(folder.profile, 'checkpoint'), 'ours');
  if (end === 'abandoned' && !resume) {
    folder.abandon();
    return true;
  }
  ground.began(folder.path, folder.movedTo);
  folder.training();
  ground.put(during, folder.path);
  for (const place of end === 'failed' ? ['report.txt'] : results) {
    const paths = /\.\w+$/.test(place) ? [place] : [join(place, 'a.json'), join(place, 'deep/b.bin')];
    for (const each of paths) {
      const made = folder.write(each, `ours ${Math.random()}`);
      ground.made(join(relative(ground.root, folder.path), made));
    }
  }
  if (end !== 'killed') folder.settle(end === 'finished' ? 'finished' : 'training');
  return false;
}

/**
 * Plays a case below a folder, which is emptied before. Throws where a byte of other people's changed, or anything came or went that is not the
 * command's own.
 * @param root its real path @returns how many runs began
 */
export async function play(root: string, tune: Tune, { before, commands }: FolderCase): Promise<number> {
  rmSync(root, { recursive: true, force: true });
  const ground = new Ground(root);
  for (const folder of ['here/given', 'outside']) mkdirSync(join(root, folder), { recursive: true });
  for (const file of ['outside/secret', 'here/given/adapter.safetensors'])
    writeFileSync(join(root, file), file);
  writeFileSync(join(root, 'here/job.toml'), '[train]\nsteps = 2\n');
  for (const [at, what] of seen(root)) ground.theirs.set(at, what);
  ground.put(before);
  let began = 0;
  for (const command of commands) {
    const what = JSON.stringify(command);
    const whole = seen(root);
    const unchanged = await run(tune, command, ground).catch((error: unknown) => {
      if ((error as { exitCode?: unknown }).exitCode !== 2) throw error;
      return true;
    });
    if (!unchanged) began++;
    else if (JSON.stringify([...seen(root)]) !== JSON.stringify([...whole]))
      throw new Error(`What was refused or abandoned left something behind: ${what}`);
    ground.check(what);
    ground.put(command.after);
  }
  return began;
}
