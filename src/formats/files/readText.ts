/** @file A file of text that a person gave, or what it is instead. */
import { apartWords } from '#src/platform/limits.ts';
import { notWhat, seenIn } from '#src/platform/sniff.ts';
import { FormatError } from '../errors.ts';

/** Settings are a page of text: a larger file is something else. */
const LARGEST = 2 ** 20;

interface Wish {
  /** "a job file": what it should be. */
  readonly should: string;
  readonly cure: string;
  /** JSON is one of its forms. */
  readonly json?: boolean;
}

/** The file's text. Throws FormatError that names the file and says what it seems to be, where it holds no settings. */
export async function readText(file: File, { should, cure, json = false }: Wish): Promise<string> {
  const head = new Uint8Array(await file.slice(0, 4096).arrayBuffer());
  const seen = seenIn(head);
  const fits = seen?.kind === 'text' || (json && seen?.kind === 'json');
  if (seen && !fits) throw new FormatError(...notWhat(file.name, head, should, cure)!);
  const [own, limit] = apartWords(file.size, LARGEST);
  if (!seen || file.size > LARGEST)
    throw new FormatError(
      `${file.name} is not ${should}: ${seen ? `it has ${own}, and one has up to ${limit}` : 'it holds no text'}.`,
      { cure },
    );
  return file.text();
}
