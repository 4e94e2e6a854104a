/** @file What everything that the page asks of a worker has in common: where things come from, and how an answer ends. */

export type ProblemCode =
  | 'bad-job'
  | 'bad-model'
  | 'bad-data'
  | 'nothing-to-adapt'
  | 'unsupported'
  | 'device-lost'
  | 'out-of-memory'
  | 'storage'
  | 'non-finite'
  | 'not-orthogonal'
  | 'loss-grows'
  | 'loss-stays'
  | 'busy'
  | 'cancelled'
  | 'no-run'
  | 'another-tab'
  | 'tab-hidden'
  | 'model-changed'
  | 'restarted'
  | 'internal';

/** What happened, what is safe, what to press. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  /** The file, layer, key or node meant. */
  readonly item?: string;
  readonly safe?: string;
  readonly cure?: string;
  /** The browser's storage has no room for it: it helps to free some. */
  readonly full?: boolean;
  /** For the disclosure: versions, original message. */
  readonly detail?: string;
}

export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

/** A folder by name on our own origin, or files that the user picked (path relative to the folder). */
export type Source =
  | { readonly kind: 'builtin'; readonly id: string }
  | {
      readonly kind: 'files';
      readonly name: string;
      readonly files: readonly { readonly path: string; readonly blob: Blob }[];
    };
