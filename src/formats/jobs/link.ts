/** @file Share links: `#v1:` + base64url(gzip(JSON of the job's table)). They are untrusted, and never fetch anything from elsewhere. */
import { streamed, TooMuch } from '#src/platform/streamed.ts';
import { FormatError, LinkError } from '../errors.ts';
import { jobFromTable, jobToTable, NO_DATA } from './job.ts';
import type { Job } from './jobTypes.ts';

const TAG = '#v1:';
/** A link is at most so many characters, and unpacks to at most so many bytes: a job takes about a thousand. */
const LONGEST_LINK = 32 * 1024;
const LARGEST_JOB = 64 * 1024;

const builtin = /^builtin:[a-z0-9-]+(\/[a-z0-9-]+)*$/;

/** The folders that a job names and that are not built in, and its adapter file: those cannot travel. */
const ownSources = ({ model, adapter, data }: Job): string[] =>
  [
    ...[model, data.train, data.heldout].filter((s) => s !== null && s !== NO_DATA && !builtin.test(s)),
    ...(adapter === undefined ? [] : [adapter]),
  ] as string[];

/** The job as the hash part of a link. Throws LinkError where it needs the user's own files. */
export async function encodeLink(job: Job): Promise<string> {
  const own = ownSources(job);
  if (own.length > 0)
    throw new LinkError(
      `A link carries settings, not files, and this job uses your own: ${own.join(', ')}. Save the job file instead, and send it with the folder.`,
    );
  const json = new TextEncoder().encode(JSON.stringify(jobToTable(job)));
  const packed = await streamed(json, new CompressionStream('gzip'), LARGEST_JOB);
  const base64 = btoa(Array.from(packed, (b) => String.fromCharCode(b)).join(''));
  const link = TAG + base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  if (json.byteLength > LARGEST_JOB || link.length > LONGEST_LINK)
    throw new LinkError('This job is too long for a link. Save the job file instead.');
  return link;
}

function unpackBase64(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[\w-]+$/.test(text))
    throw new LinkError('This link is damaged: it holds characters that no link has. Copy it again, whole.');
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  } catch {
    throw new LinkError('This link is damaged: part of it is missing. Copy it again, whole.');
  }
}

/**
 * The job of a link's hash part, with or without its `#`. Throws LinkError, with words for the person who opened it, where it is
 * cut off, changed, of a later version, too large, not a valid job, or names files from elsewhere.
 */
export async function decodeLink(hash: string): Promise<Job> {
  const tagged = hash.startsWith('#') ? hash : `#${hash}`;
  if (!tagged.startsWith(TAG))
    throw new LinkError(
      /^#v\d+:/.test(tagged)
        ? 'This link was made by a newer Rotune. Reload the page to update, then open it again.'
        : 'This is not a Rotune link. Copy it again, from #v1: on.',
    );
  if (tagged.length > LONGEST_LINK)
    throw new LinkError(
      'This link is far longer than a job needs. It was not opened. Ask for the job file instead.',
    );
  const packed = unpackBase64(tagged.slice(TAG.length));
  let table: unknown;
  try {
    const json = await streamed(packed, new DecompressionStream('gzip'), LARGEST_JOB);
    table = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    if (error instanceof TooMuch)
      throw new LinkError(
        `This link unpacks to more than ${LARGEST_JOB / 1024} KiB, far more than a job needs. It was not opened. Ask for the job file instead.`,
      );
    throw new LinkError('This link is damaged: its content cannot be unpacked. Copy it again, whole.');
  }
  let job: Job;
  try {
    job = jobFromTable(table);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new LinkError(`This link does not hold a valid job: ${error.message}`, {
      cure: 'Ask for the link again, or for the job file.',
    });
  }
  const own = ownSources(job);
  if (own.length > 0)
    throw new LinkError(
      `This link names files that are not built in (${own.join(', ')}). Links cannot bring those. Ask for the job file and the folder.`,
    );
  return job;
}
