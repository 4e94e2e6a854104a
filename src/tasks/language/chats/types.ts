/** @file Exports of chats: what is read of them, and what a format is. */

/** text: somebody's own words. forwarded: words of somebody else. system: what the app itself says, and what was deleted. */
export type TurnKind = 'text' | 'media' | 'system' | 'forwarded';

/** Something that was said. */
export interface Turn {
  /** Which of the chats of a file; '' where it holds one. */
  readonly chat: string;
  /** null: nobody, or nobody is named. */
  readonly speaker: string | null;
  /** Milliseconds since 1970, by the clock on the wall where the export says no more; null: it is not said. */
  readonly time: number | null;
  readonly text: string;
  readonly kind: TurnKind;
}

/** What a time of the file comes to, which may show at its end alone: 3/4/23 is a day in March or in April. */
export type Timing = (time: number) => number;

/** Reads a file piece by piece, however it is cut. */
export interface ChatReader {
  /** @throws Reason for what cannot be */
  push(piece: string): void;
  /** After the last piece. null: times are what they are. @throws Reason for a file that is cut short */
  end(): Timing | null;
}

/** Where turns go, and what could not be read. */
export interface ChatSink {
  readonly say: (turn: Turn) => void;
  /** An entry that is none, which is left out. @param at "line 4", "entry 12" */
  readonly skip: (at: string, why: string) => void;
}

/** One kind of export. */
export interface ChatFormat {
  /** "WhatsApp" */
  readonly name: string;
  /** Whether a file is one, by its beginning: tens of thousands of characters, the last line perhaps cut. */
  readonly fits: (beginning: string, path: string) => boolean;
  readonly reader: (sink: ChatSink, path: string) => ChatReader;
  /** The file is no text in one encoding: each character of a piece is a byte. */
  readonly bytes?: true;
  /** Its chats are threads, in which an answer may take days: no silence ends one. */
  readonly threads?: true;
  /** Sections of one person's own texts, said to nobody. */
  readonly notes?: true;
}
