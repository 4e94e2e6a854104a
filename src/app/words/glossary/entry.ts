/** @file What the glossary says of a word. */

/** Pictures that say more than the sentences, drawn by `src/ui/parts/WordPicture.svelte`. */
export type WordPicture = 'angle' | 'blocks' | 'guidance' | 'held-out' | 'loss' | 'schedule' | 'strength';

export interface Entry {
  /** As it stands in headings, once in the whole glossary. */
  readonly term: string;
  /** What it is, and what follows from it for whoever reads or sets it. */
  readonly says: readonly [string, string];
  readonly picture?: WordPicture;
  /** Ids of words that help with this one. */
  readonly see?: readonly string[];
  /** It stands under "Advanced" alone, and may use the words of the field. */
  readonly advanced?: true;
}
