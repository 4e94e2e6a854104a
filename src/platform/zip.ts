/** @file ZIP archives, by way of the one library for them: what lies in one, read by range where it is stored as it is, and new ones written file by file. */
// Deflate is the browser's own here; Deflate64, by which Windows packs large files, is JavaScript: 20 KB less to fetch than WebAssembly.
import { Breath } from './breath.ts';
import { MOST_ENTRIES } from './limits.ts';
import { Reason } from './refusals.ts';
import {
  BlobReader,
  BlobWriter,
  configure,
  type FileEntry,
  Uint8ArrayReader,
  ZipReader,
  ZipWriter,
} from '@zip.js/zip.js/lib/zip-core-native.js';

// Who has much to unpack is in a worker already.
configure({ useWebWorkers: false });

/** What is wrong with an archive or a file of it, to be said after "is": "damaged" or "cut off". */
export class ZipError extends Reason {
  override readonly name = 'ZipError';
}

/** The archive has more files than are looked through: "an archive of more than 5 files …". */
export class TooManyFiles extends ZipError {}

/** A file in an archive. */
export interface ZipEntry {
  /** With slashes, whatever packed it; it may lead anywhere. */
  readonly path: string;
  /** Bytes that it claims to unpack to: an archive can claim anything, but no more than these are unpacked. */
  readonly size: number;
  /** It lies in the archive as it is, and is read by range without taking memory. */
  readonly stored: boolean;
  /** Bytes in the archive. */
  readonly packed: number;
  readonly encrypted: boolean;
  /** Its bytes cannot hold what it claims. */
  readonly impossible: boolean;
  /** A view of the archive where the file is stored as it is, else what it unpacks to, `size` bytes by its CRC. Throws ZipError. */
  readonly content: () => Promise<Blob>;
  /** The same, read whole and held against its CRC even where it is stored as it is. Throws ZipError. */
  readonly verified: () => Promise<Blob>;
  /** So many bytes of its beginning, or all if it is shorter; of a packed file no more than these is unpacked. Throws ZipError. */
  readonly head: (length: number) => Promise<Uint8Array>;
}

/** What is listed in the archive, with breaths between. */
async function listed(archive: Blob, most: number): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  const breath = new Breath();
  let count = 0;
  try {
    // Where names lead is for the caller to judge.
    const reader = new ZipReader(new BlobReader(archive));
    for await (const entry of reader.getEntriesGenerator({ filenameValidation: 'tolerant' })) {
      if (++count > most) break;
      if (!entry.directory) files.push(entry);
      if (breath.due) await breath.take();
    }
  } catch (cause) {
    throw new ZipError('damaged', { cause });
  }
  if (count > most)
    throw new TooManyFiles(
      `an archive of more than ${most.toLocaleString('en')} files, the most that are looked through`,
    );
  return files;
}

/** Deflate makes at most 258 bytes of 2 bits. What Deflate64 can reach is for its CRC to say. */
const REACH = 1032;

/**
 * The archive's files in its order, folders left out; nothing is unpacked yet.
 * @param most entries that are looked through
 * @throws ZipError for one that is damaged, or of too many files
 */
export async function zipEntries(archive: Blob, most = MOST_ENTRIES): Promise<ZipEntry[]> {
  const entries = await listed(archive, most);
  return entries.map((entry) => ({
    path: entry.filename.replaceAll(/[\\/]+/g, '/').replace(/^(\.\/)+/, ''),
    size: entry.uncompressedSize,
    packed: entry.compressedSize,
    stored: entry.compressionMethod === 0 && !entry.encrypted,
    impossible: entry.compressionMethod === 8 && entry.uncompressedSize > REACH * entry.compressedSize,
    encrypted: entry.encrypted,
    content: () =>
      entry.compressionMethod === 0 && !entry.encrypted
        ? stored(archive, entry, entry.uncompressedSize)
        : unpacked(entry),
    verified: () => unpacked(entry),
    head: async (length) => {
      if (entry.encrypted) throw new ZipError('encrypted');
      // Deflate64 has no reader of its own in browsers.
      if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8)
        return bytesOf((await unpacked(entry)).slice(0, length));
      const packed = await stored(archive, entry, entry.compressedSize);
      return entry.compressionMethod === 0 ? bytesOf(packed.slice(0, length)) : inflatedHead(packed, length);
    },
  }));
}

const bytesOf = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());

/** The first bytes of what Deflate packed. */
async function inflatedHead(packed: Blob, length: number): Promise<Uint8Array> {
  const reader = packed.stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  try {
    for (let got = 0; got < length;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      got += value.byteLength;
    }
  } catch (cause) {
    throw new ZipError('damaged', { cause });
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  return bytesOf(new Blob(parts).slice(0, length));
}

/** The file's bytes as they lie in the archive. */
async function stored(archive: Blob, { offset }: FileEntry, size: number): Promise<Blob> {
  const header = await archive.slice(offset, offset + 30).arrayBuffer();
  if (header.byteLength < 30) throw new ZipError('cut off');
  const view = new DataView(header);
  // The local header repeats the name, and has extra fields of its own (APPNOTE 4.3.7).
  const start = offset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  const content = archive.slice(start, start + size);
  if (content.size !== size) throw new ZipError('cut off');
  return content;
}

const unpacked = (entry: FileEntry): Promise<Blob> =>
  entry.getData(new BlobWriter(), { checkCrc32: true }).catch((cause: unknown) => {
    throw new ZipError('damaged', { cause });
  });

/** The first time that an archive can note, and all of a file's facts before its bytes, as the strictest readers want them. */
const NO_TIME = { lastModDate: new Date(1980, 0, 1), extendedTimestamp: false, dataDescriptor: false };

/** A new archive. Files are stored as they are: weights and pictures do not get smaller. */
export class NewZip {
  readonly #writer: ZipWriter<Blob>;

  /** @param reproducible the same files give the same bytes, whenever they are packed; of each a copy is held meanwhile */
  constructor({ reproducible = false } = {}) {
    this.#writer = new ZipWriter(new BlobWriter('application/zip'), {
      level: 0,
      ...(reproducible && NO_TIME),
    });
  }

  async add(path: string, content: Blob | Uint8Array): Promise<void> {
    await this.#writer.add(
      path,
      content instanceof Blob ? new BlobReader(content) : new Uint8ArrayReader(content),
    );
  }

  close(): Promise<Blob> {
    return this.#writer.close();
  }
}
