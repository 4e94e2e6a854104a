/** @file Values out of foreign files, as they are shown in a message. */

/** Texts, and what stands for "nothing" in JSON. */
const NULLS = /"(?:[^"\\]|\\.)*"|\bnull\b/g;

/**
 * A foreign value for a message, as JSON has it, cut at so many characters. What is not there is "missing", and JSON's null "nothing": people who
 * write no programs know neither `undefined` nor `null`.
 */
export function quoted(x: unknown, longest = 60): string {
  const plain = jsonOf(x).replaceAll(NULLS, (found) => (found === 'null' ? 'nothing' : found));
  return plain.length > longest ? `${plain.slice(0, longest - 3)}…` : plain;
}

function jsonOf(x: unknown): string {
  if (typeof x === 'number') return String(x);
  try {
    // A function or a symbol has no JSON.
    return (JSON.stringify(x) as string | undefined) ?? 'missing';
  } catch {
    // Lists in lists, deeper than the engine calls itself.
    return 'nested too deeply';
  }
}
