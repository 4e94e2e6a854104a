/** @file What a message to a person may not say, and what it must have. */

/** Words that only developers know: of the language, of libraries, of our own insides. */
export const innerWords: readonly RegExp[] = [
  /\bundefined\b/,
  /\bnull\b(?! metadata)/,
  /\[object \w+\]/,
  /\bis not (?:a function|iterable|a constructor)\b/,
  /cannot (?:read|set) propert/i,
  /\b(?:Type|Range|Reference|Syntax|Internal|Eval)Error\b/,
  /\bat .+:\d+:\d+/,
  /\bvalibot\b|\bprotobuf\b|\bsmol-toml\b|\bzod\b/i,
  /\binitiali[sz]ers?\b/i,
  /\bNodeProto\b|\bTensorProto\b|\bGraphProto\b|\bmap\.get\b/,
  /ERROR_CODE|ERROR_MESSAGE|OrtRun|\bstd::|\bbad_alloc\b/,
  /maximum call stack|\binvalid (?:string|array|typed array) length\b/i,
  /\bassert(?:ion)?\b/i,
  /\bcotangents?\b(?! of an output|\.)/,
  /\bTwo values are named\b|: has no inputs\.$|input or weight is missing/,
  /\btheta\b|\bstage \d/i,
  // Names that the builder makes up, of an operator and a number: no node of the file is called so.
  /\b(?:Concat|Reshape|Identity|MatMul|Mul|Add|Sub|Cast|Split|Slice|Gather|Transpose|Expand) (?:Concat|Reshape|Identity|MatMul|Mul|Add|Sub|Cast|Split|Slice|Gather|Transpose|Expand)_\d+\b/,
];

/** The first inner word of a message; null: it is plain. */
export const innerWord = (message: string): string | null => {
  for (const pattern of innerWords) {
    const found = pattern.exec(message);
    if (found) return found[0];
  }
  return null;
};

/** What keeps a message from being shown as it is; null: nothing. */
export function fault(message: string): string | null {
  if (message.trim() === '') return 'it is empty';
  const word = innerWord(message);
  if (word !== null) return `it says "${word}"`;
  if (/\n/.test(message.trim())) return 'it has several lines';
  if (!/[.?!)"”]$/.test(message.trim())) return 'it does not end as a sentence';
  return null;
}

/** What a sentence of advice begins with. */
const advice =
  /^(?:(?:then|first|or|and|please|else|instead|otherwise|to \w+(?: \w+){0,4},|if [^,]+,|there,|for [^,]+,) )?(?:add|adapt|change|cut|fill|number|scale|allow|ask|bind|check|choose|clear|close|continue|convert|copy|correct|delete|discard|do not|download|export|fold|follow|free|get|give|go on|install|keep|learn|leave|look|lower|make|mark|mend|merge|name|open|pack|pick|press|put|quantise|raise|read|reload|remove|rename|repair|replace|report|restart|restore|resume|save|say|see|send|set|shorten|skip|spell|split|start|stop|take|train|try|turn|type|unpack|use|wait|write)\b/i;

/** The words that are right, listed: whoever reads them knows what to write. */
const choices =
  /(?:\bdid you mean\b|allowed: |usage: |, with commas between|there are:? (?!no\b)|[:;] it (?:has|takes) |known(?: here)?: |read here: |are read\b|its (?:inputs|outputs|arrays) are |must be a whole number|is a whole number from|is true or false|takes (?:two|exactly|shares|the) |is auto, |takes pictures of)/i;

/**
 * Whether a text says what to do: one of its parts (between full stops, colons, semicolons, and commas before "or") is a sentence of advice, or
 * what may be written in its place is listed.
 */
export const saysWayOut = (text: string): boolean =>
  choices.test(text) ||
  text
    .split(/(?<=[.:;!?)])\s+|, (?=or |and |then )| \(| – /)
    .slice(1)
    .concat(text)
    .some((part) => advice.test(part.trim()));
