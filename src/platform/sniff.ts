/** @file What a file seems to be by its first bytes, for the words of an error: a file that is not what it should be is named by what it is. */

export interface Seen {
  readonly kind: string;
  /** "a PDF document", in the middle of a sentence. */
  readonly words: string;
}

/** First bytes as Latin-1, a name for tests, and what begins so. */
const SIGNATURES: readonly (readonly [start: string, kind: string, words: string])[] = [
  ['%PDF', 'pdf', 'a PDF document'],
  ['PK\u0003\u0004', 'zip', 'a ZIP archive (perhaps a PyTorch checkpoint)'],
  ['PK\u0005\u0006', 'zip', 'an empty ZIP archive'],
  ['\u001f\u008b', 'gzip', 'a gzip archive'],
  ['7z\u00bc\u00af', '7z', 'a 7z archive'],
  ['Rar!', 'rar', 'a RAR archive'],
  ['version https://git-lfs', 'lfs', 'a Git LFS pointer'],
  ['\u0089HDF', 'hdf5', 'an HDF5 file (Keras)'],
  ['GGUF', 'gguf', 'a GGUF file'],
  ['\u0089PNG', 'png', 'a PNG picture'],
  ['\u00ff\u00d8\u00ff', 'jpeg', 'a JPEG picture'],
  ['GIF8', 'gif', 'a GIF picture'],
  ['\u0093NUMPY', 'npy', 'a NumPy array (.npy)'],
];

/** Bytes that are enough. */
const HEAD = 512;

/** No byte of a text: neither a sign nor a space, a tab, a line or page break. */
const isControl = (byte: number): boolean => byte < 9 || (byte > 13 && byte < 32);

/** What the bytes seem to be; null: nothing that is known. */
export function seenIn(bytes: Uint8Array): Seen | null {
  if (bytes.byteLength === 0) return { kind: 'empty', words: 'empty (0 bytes)' };
  const head = String.fromCharCode(...bytes.subarray(0, HEAD));
  // First of all: it begins with a length, which may be any bytes.
  if (head[8] === '{' && bytes[7] === 0) return { kind: 'safetensors', words: 'a safetensors file' };
  for (const [start, kind, words] of SIGNATURES) if (head.startsWith(start)) return { kind, words };
  // The second byte is the protocol's number.
  if (bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5)
    return { kind: 'pickle', words: 'a Python pickle (as .pt, .ckpt and .bin files are)' };
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP')
    return { kind: 'webp', words: 'a WebP picture' };
  if (/^\s*<(!doctype|html|head|body|\?xml)/i.test(head) || head.startsWith('<'))
    return { kind: 'html', words: 'a web page, perhaps an error page of the server' };
  if (bytes.subarray(0, HEAD).some(isControl)) return null;
  // A table's name in TOML stands in brackets, too.
  if (/^\s*(\{\s*["}]|\[\s*[{\]\d])/.test(head)) return { kind: 'json', words: 'a JSON file' };
  return { kind: 'text', words: 'plain text' };
}

/** What to do with a file of some kind, whatever it should have been. */
const CURES: Readonly<Record<string, string>> = {
  empty: 'Copy or download it again.',
  zip: 'Unpack it first.',
  gzip: 'Unpack it first.',
  '7z': 'Unpack it first.',
  rar: 'Unpack it first.',
  lfs: 'Fetch the real file with `git lfs pull`, or download it from the page of the repository.',
  html: 'Download the file itself.',
};

/**
 * A sentence and its way out for a file that should be something else; null: the bytes tell nothing.
 * @param path how people call the file
 * @param should "a safetensors file": what it should be
 * @param otherwise the way out where the kind has none of its own
 * @param own ways out by kind, before those that hold everywhere
 */
export function notWhat(
  path: string,
  bytes: Uint8Array,
  should: string,
  otherwise: string,
  own: Readonly<Partial<Record<string, string>>> = {},
): readonly [message: string, options: { readonly cure: string }] | null {
  const seen = seenIn(bytes);
  if (!seen) return null;
  const is =
    seen.kind === 'empty'
      ? `${path} is ${seen.words}.`
      : `${path} is not ${should}: it seems to be ${seen.words}.`;
  return [is, { cure: own[seen.kind] ?? CURES[seen.kind] ?? otherwise }];
}

/** The same for a file that should be JSON and cannot be read as such. */
export function notJson(
  path: string,
  bytes: Uint8Array,
  otherwise: string,
): readonly [message: string, options: { readonly cure: string }] {
  if (seenIn(bytes)?.kind === 'json')
    return [`${path} begins as JSON, but is not whole.`, { cure: otherwise }];
  return notWhat(path, bytes, 'JSON', otherwise) ?? [`${path} is not JSON.`, { cure: otherwise }];
}
