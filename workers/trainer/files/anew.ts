/** @file What is said of files that came damaged and were fetched again: nothing need be done, but the network or the disk may be at fault. */
import type { Remark } from '../../protocol.ts';

/** By which the page knows it. */
export const FETCHED_ANEW = 'fetched-anew';

/** @param files in words; none: nothing is said */
export function fetchedAnew(files: readonly string[]): readonly Remark[] {
  if (files.length === 0) return [];
  const [first] = files;
  const came =
    files.length === 1 ? `${first} came damaged, and was` : `${files.length} files came damaged, and were`;
  return [
    {
      severity: 'warning',
      code: 'internal',
      kind: FETCHED_ANEW,
      message: `${came.charAt(0).toUpperCase()}${came.slice(1)} thrown away and fetched again.`,
      safe: 'What is used now is whole.',
      ...(files.length > 1 && { items: files }),
    },
  ];
}
