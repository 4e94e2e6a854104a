/** @file Parts of a mail as text: headers (RFC 5322, RFC 2047), transfer encodings and character sets (RFC 2045). Characters that come in are bytes. */

/** Names in small letters; the first of a name counts. */
export type Headers = ReadonlyMap<string, string>;

/** Lines of a header, those that are folded joined. */
export function headersOf(lines: readonly string[]): Headers {
  const headers = new Map<string, string>();
  let name = '';
  for (const line of lines) {
    if (/^[ \t]/.test(line)) {
      if (name !== '') headers.set(name, `${headers.get(name)!}${line}`);
      continue;
    }
    const colon = line.indexOf(':');
    name = colon < 1 ? '' : line.slice(0, colon).toLowerCase();
    if (name === '') continue;
    if (headers.has(name)) name = '';
    else headers.set(name, line.slice(colon + 1).trim());
  }
  return headers;
}

const bytesOf = (binary: string): Uint8Array => Uint8Array.from(binary, (c) => c.charCodeAt(0) & 0xff);

/** As UTF-8 where it names no character set that is known. */
function decoded(binary: string, charset: string): string {
  const bytes = bytesOf(binary);
  for (const label of [charset, 'utf-8'])
    try {
      return new TextDecoder(label === '' || /^us-ascii$/i.test(label) ? 'utf-8' : label).decode(bytes);
    } catch {
      // The next one.
    }
  return binary;
}

/** = at the end of a line joins it with the next; =C3 is a byte. */
const fromQuoted = (text: string): string =>
  text
    .replaceAll(/[ \t]+(?=\n|$)/g, '')
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

/** What is no letter of it is passed over. */
function fromBase64(text: string): string {
  const clean = text.replaceAll(/[^A-Za-z0-9+/]/g, '');
  try {
    return atob(clean.slice(0, clean.length % 4 === 1 ? -1 : undefined));
  } catch {
    return '';
  }
}

/** =?UTF-8?Q?J=C3=BCrgen?= as words. */
export const wordsOf = (header: string): string =>
  decoded(header, 'utf-8')
    .replaceAll(/(\?=)\s+(?==\?)/g, '$1')
    .replaceAll(
      /=\?([^?\s]{1,40})\?([bq])\?([^?\s]*)\?=/gi,
      (_, charset: string, way: string, text: string) =>
        decoded(
          way.toLowerCase() === 'b' ? fromBase64(text) : fromQuoted(text.replaceAll('_', ' ')),
          charset.replace(/\*.*$/, ''),
        ),
    );

/** A parameter of a header, such as the boundary in Content-Type; '': it has none. */
export const parameterOf = (header: string, name: string): string => {
  const found = new RegExp(`;\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^\\s;]+))`, 'i').exec(header);
  return found?.[1] ?? found?.[2] ?? '';
};

/** A part's body as text, by its headers. */
export function bodyOf(headers: Headers, binary: string): string {
  const encoding = (headers.get('content-transfer-encoding') ?? '').toLowerCase().trim();
  const bytes =
    encoding === 'base64'
      ? fromBase64(binary)
      : encoding === 'quoted-printable'
        ? fromQuoted(binary)
        : binary;
  return decoded(bytes, parameterOf(headers.get('content-type') ?? '', 'charset'));
}

/** "Anna Meier" of `"Anna Meier" <anna@example.org>`; the address where there is no name; null: there is neither. */
export function senderOf(header: string): string | null {
  const [, written = ''] = /^([^<]*)<[^>]*>/.exec(header) ?? [];
  const quoted = /^\s*"((?:[^"\\]|\\.)*)"\s*$/.exec(written)?.[1]?.replaceAll(/\\(.)/g, '$1');
  const name = wordsOf(quoted ?? written).trim();
  const address = /<([^<>\s]+)>/.exec(header)?.[1] ?? /\S+@\S+/.exec(header)?.[0];
  return name !== '' ? name : (address ?? (header.trim() === '' ? null : wordsOf(header).trim()));
}
