/** @file Addresses that ask a server for more than it may give out, and requests written out: clients would tidy them. */
import fc from 'fast-check';
import { connect } from 'node:net';

export interface Answer {
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  readonly body: Buffer;
}

/** A request as it stands. @param path its bytes are those of the characters */
export function ask(port: number, path: string, host = 'rotune.localhost'): Promise<Answer> {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', fail);
    socket.on('close', () => {
      const whole = Buffer.concat(chunks);
      const split = whole.indexOf('\r\n\r\n');
      const status = Number(whole.subarray(0, 40).toString('latin1').split(' ')[1] ?? 0);
      done({ status, body: split < 0 ? Buffer.alloc(0) : whole.subarray(split + 4) });
    });
    socket.write(Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, 'latin1'));
  });
}

/** Hosts that are not this machine's: other names that lead here, and what looks like ours. */
export const FOREIGN_HOSTS = [
  ...['evil.example', 'rotune.localhost.evil.example', 'localhost.evil.example', 'evil.example:80'],
  ...['192.168.1.7', '10.0.0.1', '0.0.0.0', '128.0.0.1', '127.0.0.1.nip.io', '127.0.0.1.evil.example'],
  ...['[::2]', '[::ffff:10.0.0.1]', '[::1].evil.example', 'localhost.', 'localhost@evil.example'],
  ...['evil.example#localhost', 'evil.example/localhost', 'localhost:80:80', 'xn--localhost', ''],
];

/** How a piece of an address can be written. */
const WRITTEN: readonly ((piece: string) => string)[] = [
  (piece) => piece,
  (piece) => piece,
  (piece) => encodeURIComponent(piece),
  (piece) => [...piece].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join(''),
  // Decoded twice somewhere?
  (piece) => [...piece].map((c) => `%25${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join(''),
  (piece) => piece.toUpperCase(),
  (piece) => `${piece}%00.txt`,
  (piece) => `${piece}\0`,
  (piece) => `${piece}.`,
  (piece) => `${piece}%20`,
  (piece) => `${piece};a=b`,
  (piece) => `${piece}?${piece}`,
  (piece) => `${piece}/`,
  (piece) => `${piece}::$DATA`,
];

/**
 * Addresses by way of folders and names that lie about, upwards, hidden, encoded, too long.
 * @param names of the files beside those that are given out, and of the folders on the way to them
 */
export function addresses(names: readonly string[]): fc.Arbitrary<string> {
  const up = [
    '..',
    '.',
    '',
    '%2e%2e',
    '%2E.',
    '..%2f',
    '..%5c',
    '..\\',
    '%c0%ae%c0%ae',
    '%252e%252e',
    '....//',
    '~',
    '*',
  ];
  const known = [
    '.local',
    'train',
    'model',
    '0',
    '0.safetensors',
    'assets',
    'index.html',
    'etc',
    'passwd',
    'proc',
    'self',
  ];
  const files = [
    'environ',
    'package.json',
    '.git',
    'config',
    '.env',
    '.rotune',
    'job.json',
    'made.json',
    'profile',
  ];
  const written = fc
    .tuple(fc.constantFrom(...names, ...known, ...files), fc.constantFrom(...WRITTEN))
    .map(([name, write]) => write(name));
  const piece = fc.oneof(
    fc.constantFrom(...up),
    fc.constantFrom(...up),
    written,
    written,
    fc.constant('a'.repeat(5000)),
  );
  const start = fc.constantFrom('/', '//', '/.local/', '/assets/', 'http://localhost/', 'file:///', '\\', '');
  return fc
    .tuple(
      start,
      fc.array(piece, { minLength: 1, maxLength: 9 }),
      fc.constantFrom('/', '/', '%2f', '\\', '%5c'),
    )
    .map(([from, pieces, by]) => from + pieces.join(by))
    .filter((path) => path !== '' && !/[ \r\n]/.test(path));
}
