/** @file The data as they were given, as one ZIP archive: pasted pictures and their captions lie nowhere else. */
import type { Source } from '#workers/protocol.ts';

/** Stored, not packed: pictures are packed already. Files are read one after another. */
export async function archiveOf({ name, files }: Extract<Source, { kind: 'files' }>): Promise<{
  readonly name: string;
  readonly blob: Blob;
}> {
  const { NewZip } = await import('#src/platform/zip.ts');
  const zip = new NewZip();
  for (const { path, blob } of files) await zip.add(path, blob);
  return {
    name: `${name.replace(/[/\\:*?"<>|]/g, '_').replace(/\.zip$/i, '')}.zip`,
    blob: await zip.close(),
  };
}
