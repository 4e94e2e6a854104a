/** @file Writes and reads a depot in a worker, and posts what it saw. */
import { type Download, privateDepot } from '../downloads.ts';

const BLOB = '0123456789abcdef';
const record = (url: string, savedAt: number): Download => ({
  version: 1,
  url,
  name: 'model.onnx',
  savedAt,
  files: [{ path: 'model.onnx', url, bytes: 5, etag: null, modified: null, sha256: null, blob: BLOB }],
});

async function work(): Promise<unknown> {
  const depot = privateDepot();
  for (const { url } of await depot.list()) await depot.remove(url);
  const first = await depot.appender(BLOB);
  first.append(Uint8Array.of(1, 2, 3));
  const sizes = [first.size];
  const second = await depot.appender(BLOB).then(
    () => 'opened twice',
    (error: unknown) => (error as Error).message,
  );
  first.close();
  const again = await depot.appender(BLOB);
  again.append(Uint8Array.of(4, 5));
  sizes.push(again.size);
  again.close();
  const bytes = [...new Uint8Array(await (await depot.blob(BLOB))!.arrayBuffer())];

  await depot.save(record('https://a.example/', 1));
  await depot.save(record('https://b.example/', 2));
  const found = (await depot.list()).map(({ url }) => url);
  // A record that is no JSON is passed over.
  const root = await navigator.storage.getDirectory();
  const records = await (await root.getDirectoryHandle('downloads')).getDirectoryHandle('records');
  const file = await records.getFileHandle('damaged.json', { create: true });
  const handle = await (
    file as unknown as { createSyncAccessHandle(): Promise<{ write(b: Uint8Array): void; close(): void }> }
  ).createSyncAccessHandle();
  handle.write(new TextEncoder().encode('{"version": 1, '));
  handle.close();
  const damaged = (await depot.list()).length;

  await depot.remove('https://a.example/');
  const afterFirst = (await depot.blob(BLOB)) !== null;
  await depot.remove('https://b.example/');
  const afterBoth = (await depot.blob(BLOB)) !== null;
  return {
    sizes,
    bytes,
    second,
    found,
    damaged,
    afterFirst,
    afterBoth,
    absent: await depot.find('https://a.example/'),
  };
}

self.onmessage = () => {
  work().then(
    (result) => self.postMessage(result),
    (error: unknown) => self.postMessage(String(error)),
  );
};
