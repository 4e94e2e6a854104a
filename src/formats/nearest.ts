/** @file Which known word was probably meant. */

/** Levenshtein distance: insertions, deletions and replacements from `a` to `b`. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}

/** The known word nearest to `word`, if it is near enough to be a slip: at most half of its letters differ, or one that `word` is a part of. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const flat = (s: string): string => s.toLowerCase().replaceAll(/[-_]/g, '');
  // A word that is a part of known ones is meant as one of those, however short others are.
  const whole = known.filter((k) => k.split(/[-_]/).includes(word.toLowerCase()));
  const scored = (whole.length > 0 ? whole : known).map((k) => ({ k, d: editDistance(flat(word), flat(k)) }));
  const best = scored.reduce<{ k: string; d: number } | undefined>(
    (a, b) => (a && a.d <= b.d ? a : b),
    undefined,
  );
  return best && (whole.length > 0 || best.d <= Math.max(word.length, best.k.length) / 2)
    ? best.k
    : undefined;
}
