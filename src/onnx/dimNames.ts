/** @file Names of dimensions as files give them, and what is none. */
import type { Dim } from './model.ts';

/** Words that exporters write where they have no name: axes that share one need not be of one size. */
const placeholder =
  /^(?:none|null|nil|nan|n\/?a|unk(?:nown)?|undef(?:ined)?|unnamed|anonymous|any|dyn(?:amic)?|free|var(?:iable)?)$/i;

/** tf2onnx's unk__12, and alike: a number in place of a name. */
const numbered = /^unk(?:nown)?[_.:-]*\d+$/i;

/** An expression over a placeholder ("? + 1", "2*unk__3") says no more than the placeholder. */
const within = /(?:^|[\s+*/%(,-])(?:\?+|unk(?:nown)?[_.:-]*\d+)(?=$|[\s+*/%),-])/i;

/**
 * A symbolic dimension as the file writes it: its name or expression, a number written as text, or null where it says nothing
 * ("?", "None", "-1", "unk__12", blanks). Equal names mean equal sizes; equal placeholders do not.
 */
export function dimNamed(text: string): Dim {
  const name = text.trim();
  if (/^\d+$/.test(name) && Number.isSafeInteger(Number(name))) return Number(name);
  // Not a letter or digit in it, or a negative number.
  if (!/[\p{L}\p{N}]/u.test(name) || /^-\s*\d+$/.test(name)) return null;
  const bare = name.replace(/^[<[({"']+|[>\])}"']+$/g, '');
  return placeholder.test(bare) || numbered.test(bare) || within.test(name) ? null : name;
}
