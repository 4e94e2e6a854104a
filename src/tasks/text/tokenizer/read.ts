/** @file Parts of a tokenizer.json, checked as they are read; what Rotune cannot do is refused by its name. */
import { Reason } from '#src/platform/refusals.ts';
import * as v from 'valibot';

/** A part that says its kind. */
export const kindSchema = v.looseObject({ type: v.string() });
export type Part = v.InferOutput<typeof kindSchema>;

/** A part with what its schema wants. @throws DataError that names the part and the entry */
export function readPart<S extends v.GenericSchema>(schema: S, part: Part): v.InferOutput<S> {
  const read = v.safeParse(schema, part);
  if (read.success) return read.output;
  const [issue] = read.issues;
  throw new Reason(`its ${part.type} has no usable ${v.getDotPath(issue) ?? 'settings'}`);
}

/** Normalizers, pre-tokenizers and decoders that a file may have: each goes through every text. Those of the field have up to 20. */
const MOST_PARTS = 256;

/** @throws Reason where there are more parts within each other and side by side than a tokenizer may have */
export function checkParts(...parts: readonly unknown[]): void {
  const left = [...parts];
  for (let count = 0; left.length > 0;) {
    const part = left.pop();
    if (typeof part !== 'object' || part === null) continue;
    if ('type' in part && ++count > MOST_PARTS) throw new Reason(`it has more than ${MOST_PARTS} parts`);
    for (const inner of Object.values(part)) left.push(inner);
  }
}

/** @param what "pre-tokenizer" */
export function unknownKind(what: string, kind: string): never {
  throw new Reason(`its ${what} "${kind.slice(0, 60)}" is not supported`);
}

/** A pattern as tokenizer.json writes it: a text, or a regular expression of Oniguruma. */
export const patternSchema = v.union([v.object({ String: v.string() }), v.object({ Regex: v.string() })]);
export type PatternPart = v.InferOutput<typeof patternSchema>;

/** Numbers of tokens are smaller: pairs of two are told apart as one number, and the largest vocabularies have 300,000. */
export const MOST_TOKENS = 2 ** 26;

const isTokenId = (x: unknown): x is number =>
  Number.isInteger(x) && (x as number) >= 0 && (x as number) < MOST_TOKENS;

/** The number of a token. */
export const tokenId = v.custom<number>(isTokenId, 'is no number of a token');

/** Tokens with their numbers. Read as a whole: schemas of single keys leave out words like "constructor". */
export const vocabSchema = v.custom<Readonly<Record<string, number>>>(
  (x) => typeof x === 'object' && x !== null && !Array.isArray(x) && Object.values(x).every(isTokenId),
  'is no list of tokens with their numbers',
);
