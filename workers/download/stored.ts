/** @file Models from the web that are on this device, whole or in part: listed, opened as if they had been picked, removed. Nothing is fetched for it. */
import type { Depot, Download } from '#src/store/downloads.ts';
import { room as roomOfBrowser, type Room } from '#src/store/persistence.ts';
import { DataError } from '#src/tasks/files.ts';
import type { Source } from '../types.ts';
import { addressOf } from './address.ts';
import type { RemoteModel } from './types.ts';

export class StoredModels {
  readonly #depot: Depot;
  readonly #room: () => Promise<Room | null>;

  constructor(depot: Depot, room: () => Promise<Room | null> = roomOfBrowser) {
    this.#depot = depot;
    this.#room = room;
  }

  async list(): Promise<RemoteModel[]> {
    const records = await this.#depot.list();
    return Promise.all(records.map((record) => this.described(record)));
  }

  /** The files that are here whole, to be read as if they had been picked. Throws DataError where there are none. */
  async open(url: string): Promise<Extract<Source, { kind: 'files' }>> {
    const record = await this.#depot.find(addressOf(url).url);
    const files: { path: string; blob: Blob }[] = [];
    for (const file of record?.files ?? []) {
      const blob = file.sha256 === null ? null : await this.#depot.blob(file.blob);
      if (file.sha256 !== null && blob?.size !== file.bytes)
        throw new DataError(
          `${file.path} is not here as it was downloaded: the browser may have cleared it. Remove ${record!.name} and download it again.`,
        );
      if (blob) files.push({ path: file.path, blob });
    }
    if (!record || files.length === 0)
      throw new DataError(`Nothing of ${url} is on this device. Download it first.`);
    return { kind: 'files', name: record.name, files };
  }

  async remove(url: string): Promise<void> {
    await this.#depot.remove(url);
  }

  /** A record with how much of each file is here. */
  async described({ url, name, files }: Download): Promise<RemoteModel> {
    const described = await Promise.all(
      files.map(async ({ path, bytes, sha256: digest, blob }) => ({
        path,
        bytes,
        sha256: digest,
        here: digest !== null ? bytes! : ((await this.#depot.blob(blob))?.size ?? 0),
      })),
    );
    return {
      url,
      host: new URL(url).host,
      name,
      files: described,
      complete: files.length > 0 && files.every((f) => f.sha256 !== null),
      room: await this.#room(),
    };
  }
}
