/** @file Values out of foreign files, as they are shown in a message. */

/** Texts, and what stands for "nothing" in JSON. */
const NULLS = /"(?:[^"\\]|\\.)*"|\bnull\b/g;

/**
 * A foreign value for a message, as JSON has it, cut at so many characters. What is not there is "missing", and JSON's null "nothing": people who
 * write no programs know neither `undefined` nor `null`.
 */
export function quoted(x: unknown, longest = 60): string {
  // Of a text of megabytes the expression would run out of stack.
  const plain = jsonOf(x)
    .slice(0, 20 * longest)
    .replaceAll(NULLS, (found) => (found === 'null' ? 'nothing' : found));
  return plain.length > longest ? `${plain.slice(0, longest - 3)}…` : plain;
}

function jsonOf(x: unknown): string {
  if (typeof x === 'number') return String(x);
  if (x === undefined) return 'missing';
  try {
    return JSON.stringify(x);
  } catch {
    // Lists in lists, deeper than the engine calls itself.
    return 'nested too deeply';
  }
}
