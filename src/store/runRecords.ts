/** @file The records of runs as they lie in IndexedDB: their keys, and how they are read. */
import * as v from 'valibot';
import { headerSchema, type StoredHeader, type WrittenHeader } from './runHeader.ts';

const serial = v.pipe(v.number(), v.integer());

/** The record under `run/<id>`. `checkpoints` are serials, oldest first; none: the run has begun, and saved nothing yet. */
export const runSchema = v.object({
  version: v.literal(1),
  header: headerSchema,
  checkpoints: v.array(serial),
  /** Bytes of each checkpoint; absent in records of older versions. */
  sizes: v.optional(v.fallback(v.optional(v.array(v.number())), undefined)),
  /** What each checkpoint is of; absent in records of older versions. */
  marks: v.optional(
    v.fallback(v.optional(v.array(v.object({ step: serial, savedAt: v.number() }))), undefined),
  ),
  /** The user's own. */
  name: v.optional(v.fallback(v.optional(v.string()), undefined)),
  /** Milliseconds since 1970: it was removed, which can still be undone. */
  removedAt: v.optional(v.fallback(v.optional(v.number()), undefined)),
});

export type RunRecord = Omit<v.InferOutput<typeof runSchema>, 'header'> & { readonly header: StoredHeader };

/** The record under `checkpoint/<id>/<serial>`. */
export const checkpointSchema = v.object({
  version: v.literal(1),
  header: headerSchema,
  content: v.unknown(),
  /** Over the content (`checksum.ts`); absent in records of older versions. */
  sum: v.optional(v.string()),
});

/** That record of a checkpoint. */
export const checkpointRecord = (
  header: WrittenHeader & { readonly bytes: number },
  content: unknown,
  sum: string,
): Readonly<Record<string, unknown>> => ({ version: 1, header, content, sum });

/** null: there is none, or it cannot be read. */
export function readRecord(stored: unknown): RunRecord | null {
  const parsed = v.safeParse(runSchema, stored);
  return parsed.success ? parsed.output : null;
}

/** Bytes of all of a run's checkpoints; of an older record, as if all were as large as the newest. */
export const sizeOf = ({ sizes, checkpoints, header }: RunRecord): number =>
  sizes?.length === checkpoints.length
    ? sizes.reduce((n, bytes) => n + bytes, 0)
    : checkpoints.length * header.bytes;

/** One of a run's checkpoints. */
export interface Kept {
  readonly serial: number;
  readonly bytes: number;
  /** Updates made, and when it was saved, milliseconds since 1970; null: an older version did not write it down. */
  readonly mark: { readonly step: number; readonly savedAt: number } | null;
}

/** The record's checkpoints, oldest first. */
export const keptOf = ({ checkpoints, sizes, marks, header }: RunRecord): Kept[] =>
  checkpoints.map((serial, i) => ({
    serial,
    bytes: (sizes?.length === checkpoints.length ? sizes[i] : undefined) ?? header.bytes,
    mark: (marks?.length === checkpoints.length ? marks[i] : undefined) ?? null,
  }));

/** The record with these checkpoints. */
export function withKept(record: RunRecord, kept: readonly Kept[]): RunRecord {
  const marks = kept.flatMap(({ mark }) => (mark ? [mark] : []));
  return {
    ...record,
    checkpoints: kept.map(({ serial: each }) => each),
    sizes: kept.map(({ bytes }) => bytes),
    marks: marks.length === kept.length ? marks : undefined,
  };
}

export const runKey = (id: string): string => `run/${id}`;
export const checkpointKey = (id: string, serial: number): string =>
  `checkpoint/${id}/${String(serial).padStart(10, '0')}`;
/** Which of a run's checkpoints a key names. */
export const serialOf = (key: IDBValidKey): number =>
  typeof key === 'string' ? Number(key.split('/').at(-1)) : NaN;
/** The run that a checkpoint's key names; null: it is no such key. */
export const runOf = (key: string): string | null =>
  key.startsWith('checkpoint/') ? key.split('/').slice(1, -1).join('/') : null;

/** Bytes of the typed arrays and strings in structured-cloneable data. */
export function bytesOf(content: unknown): number {
  if (ArrayBuffer.isView(content) || content instanceof ArrayBuffer) return content.byteLength;
  if (typeof content === 'string') return 2 * content.length;
  if (content instanceof Map) return bytesOf([...content]);
  if (Array.isArray(content)) return content.reduce((n: number, item) => n + bytesOf(item), 0);
  if (content !== null && typeof content === 'object') return bytesOf(Object.values(content));
  return 8;
}
