/** @file Takes in an archive of runs: all of it is checked and stored before any of it is listed, so that nothing is half imported. */
import * as v from 'valibot';
import { Reason, reasonOf } from '#src/platform/refusals.ts';
import { type ZipEntry, zipEntries, TooManyFiles, ZipError } from '#src/platform/zip.ts';
import { defaultName, headerSchema, type WrittenHeader } from '#src/store/runHeader.ts';
import type { Adopted } from '#src/store/staging.ts';
import { DataError } from '#src/tasks/files.ts';
import type { ImportedRuns } from '../../protocol.ts';
import { parseSaved, parseStoredJob, type Runs, type Saved } from '../saved.ts';
import { ARCHIVE_VERSION, FORMAT, LIST, readRun, textOf } from './archive.ts';
import { flatten } from './plain.ts';

const listSchema = v.object({
  format: v.literal(FORMAT),
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
});
const runsSchema = v.object({ runs: v.array(v.pipe(v.string(), v.regex(/^runs\/\d+$/))) });
const id = v.pipe(v.string(), v.regex(/^[\w-]{1,100}$/));
const runSchema = v.object({
  header: v.object({ ...headerSchema.entries, id, name: v.string() }),
  content: v.unknown(),
});

interface Read {
  readonly header: WrittenHeader;
  readonly name: string;
  readonly content: Saved | null;
}

const again = 'Export the runs once more, and import that file.';
const damaged = (why: string, cause?: unknown): DataError =>
  new DataError(`The archive is ${why}, so that no run of it was added.`, { cause, cure: again });

/** What went wrong in the middle of an archive, for people. */
function refused(error: unknown): unknown {
  if (error instanceof Reason) return damaged(reasonOf(error, 'damaged'), error);
  return error instanceof SyntaxError || error instanceof v.ValiError ? damaged('damaged', error) : error;
}

/** The folders of its runs. Throws DataError for what is no archive of runs, or of a newer version. */
async function foldersOf(files: ReadonlyMap<string, ZipEntry>): Promise<readonly string[]> {
  const foreign = new DataError('This archive holds no runs of Rotune.', {
    cure: 'Choose a file that “Export” made on this page.',
  });
  const entry = files.get(LIST);
  const text = entry && (await textOf(entry));
  if (text == null) throw foreign;
  const list: unknown = JSON.parse(text);
  const known = v.safeParse(listSchema, list);
  if (!known.success) throw foreign;
  if (known.output.version > ARCHIVE_VERSION)
    throw new DataError('A newer version of Rotune wrote this archive.', {
      cure: 'Reload the page, so that it is the newest one, and import it again.',
    });
  return v.parse(runsSchema, list).runs;
}

/** One run, checked. Throws DataError, Reason, SyntaxError or ValiError. */
async function runIn(files: ReadonlyMap<string, ZipEntry>, folder: string): Promise<Read> {
  const data = await readRun(files, folder, () => damaged('not whole'));
  const { header, content } = v.parse(runSchema, data);
  const { name, bytes: _, ...known } = header;
  try {
    const job = parseStoredJob(header.job);
    return {
      // No tab here runs it.
      header: { ...known, job, state: known.state === 'running' ? 'paused' : known.state },
      name,
      content: content === null ? null : parseSaved(content),
    };
  } catch (cause) {
    throw damaged('damaged', cause);
  }
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** The very same state, whatever it is called. */
function same(a: Saved | null, b: Saved | null): boolean {
  const [one, other] = [flatten(a), flatten(b)];
  return (
    one.json === other.json &&
    one.arrays.length === other.arrays.length &&
    one.arrays.every((array, i) => sameBytes(array, other.arrays[i]!))
  );
}

/** Whether the run is here already. One that was removed is put back. */
async function isHere(runs: Runs, { header, content }: Read): Promise<'no' | 'listed' | 'removed'> {
  const known = await runs.find(header.id);
  if (!known) return 'no';
  const stored = await runs.load(header.id).catch(() => null);
  if (!same(content, stored?.content ?? null)) return 'no';
  return known.removedAt === null ? 'listed' : 'removed';
}

/** @throws DataError or StoreError; then nothing has changed */
export async function importRuns(runs: Runs, archive: Blob, newId: () => string): Promise<ImportedRuns> {
  const staged: string[] = [];
  try {
    const entries = await zipEntries(archive).catch((cause: unknown) => {
      if (!(cause instanceof ZipError) || cause instanceof TooManyFiles) throw cause;
      throw new DataError('This is no ZIP archive, or a damaged one.', {
        cause,
        cure: 'Choose a file that “Export” made on this page, and fetch it once more if it came from elsewhere.',
      });
    });
    const files = new Map(entries.map((entry) => [entry.path, entry]));
    const taken = new Set(await runs.ids());
    const adopted: Adopted[] = [];
    const back: string[] = [];
    let skipped = 0;
    for (const folder of await foldersOf(files)) {
      const read = await runIn(files, folder);
      const here = await isHere(runs, read);
      if (here === 'listed') skipped++;
      if (here === 'removed') back.push(read.header.id);
      if (here !== 'no') continue;
      const own = taken.has(read.header.id) ? newId() : read.header.id;
      taken.add(own);
      const header = { ...read.header, id: own };
      if (read.content) {
        staged.push(own);
        const bytes = await runs.staging.put(header, read.content);
        adopted.push({ header, name: ownName(read), bytes });
      } else adopted.push({ header, name: ownName(read), bytes: null });
    }
    await runs.staging.adopt(adopted, back);
    const added = new Set([...adopted.map(({ header }) => header.id), ...back]);
    return { imported: (await runs.list()).filter((run) => added.has(run.id)), skipped };
  } catch (error) {
    await runs.staging.drop(staged).catch(() => undefined);
    throw refused(error);
  }
}

/** undefined: it has no name but the one made of task and data. */
const ownName = ({ name, header }: Read): string | undefined =>
  name.trim() === '' || name === defaultName(header) ? undefined : name.slice(0, 200);
