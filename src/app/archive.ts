/** @file The data as they were given, as one ZIP archive: pasted pictures and their captions lie nowhere else. */
import type { Source } from '#workers/protocol.ts';

/** Stored, not packed: pictures are packed already. Files are read one after another. */
export async function archiveOf({ name, files }: Extract<Source, { kind: 'files' }>): Promise<{
  readonly name: string;
  readonly blob: Blob;
}> {
  const { BlobReader, BlobWriter, ZipWriter } = await import('@zip.js/zip.js');
  const writer = new ZipWriter(new BlobWriter('application/zip'), { level: 0, useWebWorkers: false });
  for (const { path, blob } of files) await writer.add(path, new BlobReader(blob));
  return {
    name: `${name.replace(/[/\\:*?"<>|]/g, '_').replace(/\.zip$/i, '')}.zip`,
    blob: await writer.close(),
  };
}
