/** @file A language tag that `Intl` takes. Browsers hand on what the system says, and a system without a language says "C" or "POSIX". */

/** Whether `Intl` takes the tag. */
function valid(tag: unknown): boolean {
  try {
    return typeof tag === 'string' && Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/**
 * Libraries pass `navigator.language` on to `Intl`, which throws at a tag that is none: then the language that `Intl` itself takes stands in.
 * Imported for its effect, before such a library.
 */
export function mendLanguage(navigator: {
  readonly language?: string;
  readonly languages?: readonly string[];
}): void {
  if (valid(navigator.language)) return;
  const language = navigator.languages?.find(valid) ?? new Intl.NumberFormat().resolvedOptions().locale;
  Object.defineProperty(navigator, 'language', { value: language, configurable: true, enumerable: true });
}

if (typeof navigator !== 'undefined') mendLanguage(navigator);
