/** @file A text of the data, and how texts are read. */
import type { VoiceOptions } from './chats/training.ts';
import type { Piece } from './chat.ts';
import type { FrameKind, Framing } from './frame.ts';

/** One text of the data. */
export interface Document {
  /** "chats.jsonl, line 4" */
  readonly name: string;
  readonly pieces: readonly Piece[];
  /** What its prompts and answers stand in; null: it has none. The model's template writes the tokens that start and end a text, too. */
  readonly frame: FrameKind | null;
  /** The first that is asked in it; null: nothing is. */
  readonly question: string | null;
}

export interface ReadOptions {
  readonly column: string;
  readonly framing: Framing;
  /** Learn what was given, too. */
  readonly all?: boolean;
  /** How exports of chats are learned from; left out: they are texts as any others. */
  readonly voice?: VoiceOptions | undefined;
}
