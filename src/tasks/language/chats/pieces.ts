/** @file A file as text, piece by piece. */
import type { Breath } from '#src/platform/breath.ts';
import { Reason } from '#src/platform/refusals.ts';
import type { FileSet } from '#src/tasks/files.ts';
import type { ChatReader } from './types.ts';

/** Bytes of a piece. */
const PIECE = 2 ** 20;
/** Bytes of the beginning, by which a file's format is told. */
const BEGINNING = 65_536;

const encodingOf = (bytes: Uint8Array): string =>
  bytes[0] === 0xff && bytes[1] === 0xfe
    ? 'utf-16le'
    : bytes[0] === 0xfe && bytes[1] === 0xff
      ? 'utf-16be'
      : 'utf-8';

/** Each byte as a character. */
function binary(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}

/** The file's beginning as far as it can be read, to tell its format by. */
export async function beginningOf(files: FileSet, path: string): Promise<string> {
  const bytes = await files.read(path, 0, Math.min(BEGINNING, await files.size(path)));
  return new TextDecoder(encodingOf(bytes)).decode(bytes);
}

/**
 * Hands on a file's text.
 * @param bytes each character of a piece is to be a byte
 * @throws Reason for what is no text
 */
export async function eachPiece(
  files: FileSet,
  path: string,
  bytes: boolean,
  breath: Breath,
  push: (piece: string) => void,
): Promise<void> {
  const size = await files.size(path);
  let decoder: TextDecoder | undefined;
  for (let at = 0; at < size; at += PIECE) {
    const part = await files.read(path, at, Math.min(PIECE, size - at));
    if (bytes) push(binary(part));
    else {
      decoder ??= new TextDecoder(encodingOf(part), { fatal: true });
      push(text(decoder, part, at + PIECE < size));
    }
    if (breath.due) await breath.take();
  }
}

function text(decoder: TextDecoder, bytes: Uint8Array, stream: boolean): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch {
    throw new Reason('it is not UTF-8 or UTF-16 text');
  }
}

/** What takes a file apart, as a reader of turns whose times are what they are. */
export const untimed = (parts: { push(piece: string): void; end(): void }): ChatReader => ({
  push: (piece) => parts.push(piece),
  end: () => {
    parts.end();
    return null;
  },
});
