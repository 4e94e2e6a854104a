/** @file Whatever the browser's storage throws becomes words that fit it: what happened, and what to do. */
import { expect, it } from 'vitest';
import { StoreError, storeError, type StoreFailure } from './errors.ts';

const thrown = (name: string) => new DOMException('the browser’s own words', name);

it.each<[string, unknown, StoreFailure, RegExp, RegExp]>([
  [
    'a full disk',
    thrown('QuotaExceededError'),
    'full',
    /no room to save 3\.0 MB/,
    /Discard older runs \(they take 5\.0 MB\)/,
  ],
  ['a site that may store nothing', thrown('SecurityError'), 'unavailable', /does not let/, /private/],
  ['a private window', thrown('InvalidStateError'), 'unavailable', /does not let/, /private/],
  [
    'a browser without a database',
    new ReferenceError('indexedDB is not defined'),
    'unavailable',
    /not let/,
    /normal window/,
  ],
  ['a transaction that was broken off', thrown('AbortError'), 'failed', /broke off/, /Try again.*space/],
  ['a damaged profile', thrown('UnknownError'), 'failed', /own database.*UnknownError/, /Reload.*restart/],
  ['a database of a later version', thrown('VersionError'), 'failed', /VersionError/, /Reload/],
  ['anything else', 'a string', 'failed', /no reason given/, /Reload/],
])('%s', (_what, error, failure, message, cure) => {
  const said = storeError(error, 3 * 2 ** 20, 5 * 2 ** 20);
  expect(said).toMatchObject({ failure, cause: error });
  expect(said.message).toMatch(message);
  expect(said.cure).toMatch(cure);
  expect(`${said.message} ${said.cure}`).not.toMatch(/the browser’s own words|is not defined/);
});

it('what was said already is not said anew', () => {
  const known = new StoreError('damaged', 'It is damaged.', 'Delete it.');
  expect(storeError(known)).toBe(known);
});
