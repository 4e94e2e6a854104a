/** @file What the page and job files know of a task without loading it: words, options, examples. */
import type * as v from 'valibot';

/** One option in the page's form. */
export type Field =
  | {
      readonly kind: 'number';
      readonly key: string;
      readonly label: string;
      readonly help?: string;
      readonly min?: number;
      readonly max?: number;
      readonly step?: number;
    }
  | {
      readonly kind: 'choice';
      readonly key: string;
      readonly label: string;
      readonly help?: string;
      readonly choices: readonly { readonly value: string; readonly label: string }[];
    }
  /** A list of numbers, typed with commas; none: []. */
  | { readonly kind: 'numbers'; readonly key: string; readonly label: string; readonly help?: string }
  | { readonly kind: 'flag'; readonly key: string; readonly label: string; readonly help?: string }
  | { readonly kind: 'text'; readonly key: string; readonly label: string; readonly help?: string };

/** A tiny built-in example that runs in seconds. */
export interface Example {
  /** Of small letters and hyphens, no two alike among all tasks. */
  readonly id: string;
  /** "Risograph prints" */
  readonly title: string;
  /** One plain sentence: what the model comes to do. */
  readonly words: string;
  /** The table of its job (keys as in files), with model, training data and held-out data at least. */
  readonly job: Readonly<Record<string, unknown>>;
}

export interface TaskInfo {
  /** As in job files: `task = "image-classification"`. */
  readonly id: string;
  /** Where it stands among the others: smaller numbers first. */
  readonly rank: number;
  /** "Recognise images" */
  readonly title: string;
  /** One plain sentence: what it teaches. */
  readonly summary: string;
  /** What data it takes, in a sentence or two. */
  readonly wants: string;
  /** Entries of the task's own table in job files ([options]), snake_case keys, each optional; values checked here. */
  readonly entries: v.ObjectEntries;
  /** All options, camelCase. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** In the order of the form. */
  readonly fields: readonly Field[];
  /** What the wall shows. */
  readonly shows: 'pictures' | 'texts' | 'labels';
  /** What people can give a trained model to try, besides prompts that it draws: the first is offered first. Absent: nothing. */
  readonly asks?: readonly ('pictures' | 'texts' | 'arrays')[];
  /** People type prompts for this task's samples. */
  readonly prompts: boolean;
  /** What a run of any model has where the job says nothing of it: never the example's settings, which fit its own model and data alone. */
  readonly usual: {
    readonly train: { readonly steps: number; readonly batch: number };
    /** Times the learning rate that the adapter's kind has by default; absent: 1. */
    readonly rate?: number;
    readonly sample?: { readonly steps: number; readonly guidance: number };
  };
  /** The first is what a job means that names neither model nor data; none: []. */
  readonly examples: readonly Example[];
}
