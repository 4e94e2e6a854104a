/**
 * @file The folder that a run writes into. Whatever happens, no byte changes of a file that Rotune did not make:
 * - Results go into a new or empty folder, or one that carries the marker of an earlier run. The marker lists what that run made, with hashes.
 * - A file is written over only where the list says that this run made it, and its hash says that nobody has changed it since.
 * - The results of an earlier, finished run are moved aside whole; an unfinished one's checkpoints are never dropped.
 */
import { createHash } from 'node:crypto';
import {
  createWriteStream,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { Refusal } from '../ensure.mjs';
import { RESULTS } from './places.mjs';
import { HERE, refuse } from './refuse.mjs';

/** Folder of a run's own files: the list of what it made, its job, the browser's data with the checkpoints. */
export const MARKER = '.rotune';
/** All that a run keeps in there. */
const KEPT = ['made.json', 'made.json.new', 'job.json', 'profile'];
/** What desktops leave in any folder: it neither fills a folder nor is it touched. */
const LITTER = ['.DS_Store', 'Thumbs.db', 'desktop.ini', '.directory'];

/**
 * `preparing`: nothing to lose yet · `training`: checkpoints may be gone on with · `finished`.
 * @typedef {'preparing' | 'training' | 'finished'} State
 * @typedef {{ tool: 'rotune tune', state: State, made: Record<string, string | null> }} Made paths below the folder → SHA-256; null: still being written
 */

/** The file or folder itself, links not followed; null: there is none. @param {string} path */
const lookAt = (path) => lstatSync(path, { throwIfNoEntry: false }) ?? null;

/** @param {string} path */
const hashOf = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** For messages: as seen from where the person stands. @param {string} path */
const shown = (path) => {
  const near = relative(HERE, path);
  return near === '' ? 'this folder' : near.startsWith('..') ? path : near;
};

/** Where a path really lies, whatever links lead to it; what does not exist yet counts from its nearest existing parent. @param {string} path @returns {string} */
export function realPlace(path) {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPlace(parent), basename(path));
  }
}

/** @param {string} folder @param {string} path both real */
export const isWithin = (folder, path) =>
  path === folder || path.startsWith(folder.replace(/[/\\]$/, '') + sep);

/** A relative path that stays below its folder. @param {string} path */
const staysBelow = (path) =>
  path !== '' &&
  !path.startsWith('/') &&
  !/^[a-z]:|\\/i.test(path) &&
  !path.split('/').some((part) => /^\.{0,2}$/.test(part));

/** What an earlier run says that it made here; null: the folder carries no marker of ours. @param {string} folder @returns {Made | null} */
export function readMarker(folder) {
  try {
    if (!lstatSync(join(folder, MARKER)).isDirectory()) return null;
    const said = JSON.parse(readFileSync(join(folder, MARKER, 'made.json'), 'utf8'));
    const states = ['preparing', 'training', 'finished'];
    if (said?.tool !== 'rotune tune' || !states.includes(said.state) || typeof said.made !== 'object')
      return null;
    const entries = Object.entries(said.made ?? {});
    const sound = entries.every(
      ([path, hash]) => staysBelow(path) && (hash === null || /^[0-9a-f]{64}$/.test(String(hash))),
    );
    return sound ? { tool: 'rotune tune', state: said.state, made: Object.fromEntries(entries) } : null;
  } catch {
    return null;
  }
}

/** A plain file below the folder, no link on the way to it. @param {string} folder @param {string} path */
function isPlainFile(folder, path) {
  const parts = path.split('/');
  return parts.every((_, i) => {
    const found = lookAt(join(folder, ...parts.slice(0, i + 1)));
    return i === parts.length - 1 ? found?.isFile() === true : found?.isDirectory() === true;
  });
}

/** As the run left it. @param {string} folder @param {string} path @param {string | null} hash */
const unchanged = (folder, path, hash) =>
  isPlainFile(folder, path) && (hash === null || hashOf(join(folder, path)) === hash);

/** Refuses a folder that a new run may not write into. @param {string} folder real, existing @returns {Made | null} of a finished run, to be moved aside */
function mayTake(folder) {
  const names = readdirSync(folder).filter((name) => !LITTER.includes(name));
  if (names.length === 0) return null;
  const marker = readMarker(folder);
  const other = 'Name a new or empty folder with --out.';
  if (marker === null) {
    const some = names.slice(0, 3).join(', ') + (names.length > 3 ? ' …' : '');
    refuse(
      `${shown(folder)} holds files that Rotune did not make (${some}); they are left as they are. ${other}`,
    );
  }
  if (marker.state === 'training') {
    refuse(
      `${shown(folder)} holds a run that is not finished. Go on with it: --resume --out ${shown(folder)}. Or name another folder with --out.`,
    );
  }
  const stranger = readdirSync(join(folder, MARKER)).find((name) => !KEPT.includes(name));
  if (stranger !== undefined)
    refuse(
      `${shown(join(folder, MARKER, stranger))} is not of Rotune's making; it is left as it is. ${other}`,
    );
  for (const [path, hash] of Object.entries(marker.made)) {
    if (lookAt(join(folder, path)) && !unchanged(folder, path, hash))
      refuse(
        `${shown(join(folder, path))} was changed after a run had made it; it is left as it is. ${other}`,
      );
  }
  const made = Object.keys(marker.made);
  for (const name of RESULTS.map((path) => path.replace(/\/$/, ''))) {
    const ours = made.some((path) => path === name || path.startsWith(`${name}/`));
    if (lookAt(join(folder, name)) && !ours)
      refuse(
        `${shown(join(folder, name))} is not of Rotune's making, and has the name of a result; it is left as it is. ${other}`,
      );
  }
  return marker;
}

/** Inputs are never outputs. @param {string} folder real @param {readonly { what: string, path: string }[]} inputs */
function keepInputsOut(folder, inputs) {
  for (const { what, path } of inputs) {
    if (isWithin(folder, realPlace(path)))
      refuse(
        `${what} ${shown(path)} lies in the folder for the results, ${shown(folder)}. Name another folder with --out.`,
      );
  }
}

export class RunFolder {
  /** Real path of the folder. */
  path;
  /** @type {State} */
  #state;
  /** @type {Record<string, string | null>} */
  #made;
  /** The uppermost folder that this run made to be here; null: it was here before. @type {string | null} */
  #from;
  /** Of an earlier run's files: [where they were, where they are]. @type {[string, string][]} */
  #moved;

  /** @param {string} path @param {Made} marker @param {string | null} from @param {[string, string][]} moved */
  constructor(path, marker, from, moved) {
    this.path = path;
    this.#state = marker.state;
    this.#made = { ...marker.made };
    this.#from = from;
    this.#moved = moved;
  }

  /**
   * Makes or takes the folder for a new run. Refuses (exit status 2) where anything of anyone's could be lost.
   * @param {string} out @param {readonly { what: string, path: string }[]} inputs all that the run reads
   */
  static begin(out, inputs) {
    try {
      return RunFolder.#begin(out, inputs);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const { code = error } = /** @type {NodeJS.ErrnoException} */ (error);
      return refuse(`nothing can be written into ${shown(out)}: ${code}; name another folder with --out`);
    }
  }

  /** @param {string} out @param {readonly { what: string, path: string }[]} inputs */
  static #begin(out, inputs) {
    const found = statSync(out, { throwIfNoEntry: false });
    if (found && !found.isDirectory())
      refuse(`--out ${shown(out)} is a file. Name a new folder for the results.`);
    if (!found && lookAt(out))
      refuse(`--out ${shown(out)} is a link that leads nowhere. Name a new folder for the results.`);
    const path = realPlace(out);
    keepInputsOut(path, inputs);
    const earlier = found ? mayTake(path) : null;
    const from = mkdirSync(path, { recursive: true }) ?? null;
    const moved = earlier ? moveAside(path, earlier) : [];
    mkdirSync(join(path, MARKER), { mode: 0o700 });
    const folder = new RunFolder(path, { tool: 'rotune tune', state: 'preparing', made: {} }, from, moved);
    folder.#save();
    return folder;
  }

  /** Goes on with the run in a folder. @param {string} out */
  static resume(out) {
    const path = realPlace(out);
    const marker = readMarker(path);
    if (marker === null || !existsSync(join(path, MARKER, 'job.json')))
      refuse(`${shown(out)} holds no run to go on with; name another folder with --out`);
    return new RunFolder(path, marker, null, []);
  }

  /** Where the files of an earlier run went; null: there was none. */
  get movedTo() {
    const [first] = this.#moved;
    return first ? dirname(first[1]) : null;
  }

  get state() {
    return this.#state;
  }

  /** The browser's own data. */
  get profile() {
    return join(this.path, MARKER, 'profile');
  }

  /** The job as it was given, for --resume. */
  get jobFile() {
    return join(this.path, MARKER, 'job.json');
  }

  /** From here on there may be checkpoints. */
  training() {
    this.#state = 'training';
    this.#save();
  }

  /** Notes what the files are like now. @param {State} state */
  settle(state) {
    const kept = Object.keys(this.#made).filter((path) => isPlainFile(this.path, path));
    this.#made = Object.fromEntries(kept.map((path) => [path, hashOf(join(this.path, path))]));
    this.#state = state;
    this.#save();
  }

  /** It ended before there was a checkpoint. */
  cameToNothing() {
    this.#state = 'preparing';
    this.#save();
  }

  /** A run that came to nothing leaves the disk as it was. */
  abandon() {
    for (const path of Object.keys(this.#made)) rmSync(join(this.path, path), { force: true });
    for (const name of KEPT) rmSync(join(this.path, MARKER, name), { recursive: true, force: true });
    tryRemove(join(this.path, MARKER));
    for (const [from, to] of this.#moved) {
      mkdirSync(dirname(from), { recursive: true });
      renameSync(to, from);
    }
    const aside = this.movedTo;
    if (aside !== null) removeEmpty(aside);
    // Fails where somebody has put something there meanwhile.
    if (this.#from !== null)
      for (let at = this.path; isWithin(this.#from, at); at = dirname(at)) tryRemove(at);
  }

  /**
   * Writes a result. Where a stranger's file has its name, another name is taken.
   * @param {string} path below the folder, with forward slashes @param {string | Uint8Array} content
   * @returns {string} the path that was taken
   */
  write(path, content) {
    const place = this.#take(path);
    const whole = join(this.path, place);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, content, { flag: lookAt(whole) ? 'w' : 'wx' });
    return place;
  }

  /** A result that grows. @param {string} path @param {{ append: boolean }} options */
  stream(path, { append }) {
    const whole = join(this.path, this.#take(path));
    return createWriteStream(whole, { flags: append ? 'a' : lookAt(whole) ? 'w' : 'wx' });
  }

  /** The name under which a path may be written, listed before the first byte. @param {string} path */
  #take(path) {
    const [top = '', ...rest] = path.split('/');
    const ending = rest.length === 0 ? extname(top) : '';
    for (let n = 1; ; n++) {
      const name = n === 1 ? top : `${top.slice(0, top.length - ending.length)}-${n}${ending}`;
      const place = [name, ...rest].join('/');
      if (!this.#isFree(place)) continue;
      this.#made[place] = null;
      this.#save();
      return place;
    }
  }

  /** @param {string} place */
  #isFree(place) {
    const parts = place.split('/');
    for (let i = 1; i < parts.length; i++) {
      const found = lookAt(join(this.path, ...parts.slice(0, i)));
      if (found && !found.isDirectory()) return false;
    }
    if (!lookAt(join(this.path, place))) return true;
    const hash = this.#made[place];
    return hash !== undefined && unchanged(this.path, place, hash);
  }

  #save() {
    const file = join(this.path, MARKER, 'made.json');
    /** @type {Made} */
    const marker = { tool: 'rotune tune', state: this.#state, made: this.#made };
    writeFileSync(`${file}.new`, JSON.stringify(marker, null, 1));
    renameSync(`${file}.new`, file);
  }
}

/** Only an empty folder goes. @param {string} folder */
function tryRemove(folder) {
  try {
    rmdirSync(folder);
  } catch {
    // It is somebody's now.
  }
}

/** A folder of empty folders. @param {string} folder */
function removeEmpty(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  tryRemove(folder);
}

/** Moves all that a finished run made into a folder of its own below, the marker last: cut off in between, the next run goes on with it. @param {string} folder @param {Made} marker */
function moveAside(folder, { made }) {
  let n = 1;
  while (lookAt(join(folder, `earlier-${n}`))) n++;
  const aside = join(folder, `earlier-${n}`);
  const paths = Object.keys(made).filter((path) => isPlainFile(folder, path));
  /** @type {[string, string][]} */
  const moved = [];
  mkdirSync(aside);
  for (const path of [...paths, MARKER]) {
    const [from, to] = [join(folder, path), join(aside, path)];
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
    moved.push([from, to]);
  }
  // `merged/` and the like are empty now, unless somebody has put something there.
  for (const path of paths.filter((p) => p.includes('/'))) tryRemove(join(folder, dirname(path)));
  // The first entry tells where they went: the marker lies on top.
  return moved.reverse();
}
