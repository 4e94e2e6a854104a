/** @file What a model can be taught, and what in its files says so: plain data for the page. */
import type { Clues } from './clues.ts';

/** certain: its files say so in words; likely: its inputs and outputs look so; possible: it can be done. */
export type Sureness = 'certain' | 'likely' | 'possible';

/** What a task finds out about a model. */
export interface Guess {
  readonly sureness: Sureness;
  /** One plain sentence: what in the files says so. */
  readonly why: string;
  /** What is not among the files and must come before a run, with where to get it; absent: nothing. */
  readonly lacks?: string;
}

export interface Proposal extends Guess {
  /** A task's id. */
  readonly task: string;
}

/** A task's own rule: what it finds out about a model; null: it is not for that one. */
export interface Rule {
  /** The task's id. */
  readonly task: string;
  readonly recognise: (clues: Clues) => Guess | null;
}
