/** @file What the page knows of models from the web. */
import type { Outcome, Source } from '../types.ts';

/** A model at an address on the web. */
export interface RemoteModel {
  /** As typed, made absolute: names it from now on. */
  readonly url: string;
  readonly host: string;
  readonly name: string;
  readonly files: readonly {
    readonly path: string;
    /** null: the server does not say. */
    readonly bytes: number | null;
    /** Bytes that are on this device already. */
    readonly here: number;
    /** null: it has not come whole. */
    readonly sha256: string | null;
  }[];
  /** Every file that is listed is here whole. */
  readonly complete: boolean;
  /** What this site stores and may store, in bytes; null: the browser does not say. */
  readonly room: { readonly used: number; readonly quota: number } | null;
}

export interface DownloadProgress {
  readonly path: string;
  /** Bytes of all files together. */
  readonly done: number;
  readonly total: number | null;
}

/** What the worker that reaches other hosts answers. */
export interface FetchingApi {
  /** What lies at an address, and how large it is. Only lists and single bytes are fetched. */
  lookAtUrl(url: string): Promise<Outcome<RemoteModel>>;
  /**
   * Fetches the chosen files of an address, or goes on where an earlier try ended. A model may turn out to keep weights in further files: they are
   * listed in the answer, to be asked for.
   */
  download(
    url: string,
    paths: readonly string[],
    onProgress: (progress: DownloadProgress) => void,
  ): Promise<Outcome<RemoteModel>>;
  /** What came so far is kept. */
  cancelDownload(): Promise<void>;
}

/** What needs no other host. */
export interface StoredApi {
  /** Models that were downloaded, whole or in part, newest first. */
  downloads(): Promise<Outcome<readonly RemoteModel[]>>;
  /** The files of a downloaded model, as if they had been picked. */
  openDownload(url: string): Promise<Outcome<Source>>;
  removeDownload(url: string): Promise<Outcome<null>>;
}

/** All that the page can ask about models from the web. */
export interface DownloadApi extends FetchingApi, StoredApi {}
