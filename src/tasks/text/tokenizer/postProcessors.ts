/** @file Special tokens around and between texts: 🤗 tokenizers' post-processors. */
import * as v from 'valibot';
import { kindSchema, type Part, readPart, tokenId, unknownKind } from './read.ts';

/** Tokens, and which of two texts each belongs to. */
export interface Typed {
  readonly ids: readonly number[];
  readonly types: readonly number[];
}
/** @param special with the tokens that stand around; without them only what belongs where is told */
export type PostProcessor = (texts: readonly Typed[], special: boolean) => readonly Typed[];

const typed = (ids: readonly number[], type: number): Typed => ({ ids, types: ids.map(() => type) });
const one = (parts: readonly Typed[]): Typed =>
  parts.length === 1 ? parts[0]! : { ids: parts.flatMap((p) => p.ids), types: parts.flatMap((p) => p.types) };

const token = v.tuple([v.string(), tokenId]);
const aroundSchema = v.looseObject({ sep: token, cls: token });

/** [CLS] A [SEP] B [SEP] */
function bert(part: Part): PostProcessor {
  const { sep, cls } = readPart(aroundSchema, part);
  return (texts, special) => {
    if (!special) return texts;
    return texts.map((text, i) =>
      one([...(i === 0 ? [typed([cls[1]], 0)] : []), typed(text.ids, i), typed([sep[1]], i)]),
    );
  };
}

/** <s> A </s></s> B </s>, all of one type. */
function roberta(part: Part): PostProcessor {
  const { sep, cls } = readPart(aroundSchema, part);
  return (texts, special) =>
    texts.map((text, i) => typed(special ? [i === 0 ? cls[1] : sep[1], ...text.ids, sep[1]] : text.ids, 0));
}

const pieceSchema = v.union([
  v.object({ SpecialToken: v.object({ id: v.string(), type_id: tokenId }) }),
  v.object({ Sequence: v.object({ id: v.picklist(['A', 'B']), type_id: tokenId }) }),
]);
const templateSchema = v.looseObject({
  single: v.array(pieceSchema),
  pair: v.optional(v.array(pieceSchema), []),
  special_tokens: v.record(v.string(), v.looseObject({ ids: v.array(tokenId) })),
});
function template(part: Part): PostProcessor {
  const { single, pair, special_tokens: tokens } = readPart(templateSchema, part);
  for (const piece of [...single, ...pair])
    if ('SpecialToken' in piece && !Object.hasOwn(tokens, piece.SpecialToken.id))
      unknownKind('template token', piece.SpecialToken.id);
  return (texts, special) => {
    const pieces = texts.length > 1 ? pair : single;
    return [
      one(
        pieces.flatMap((piece): Typed[] => {
          if ('Sequence' in piece) {
            const text = texts[piece.Sequence.id === 'A' ? 0 : 1];
            return text ? [typed(text.ids, piece.Sequence.type_id)] : [];
          }
          const { id, type_id: type } = piece.SpecialToken;
          return special ? [typed(tokens[id]!.ids, type)] : [];
        }),
      ),
    ];
  };
}

const kinds: Readonly<Record<string, (part: Part) => PostProcessor>> = {
  BertProcessing: bert,
  // It moves offsets only.
  ByteLevel: () => (texts) => texts,
  RobertaProcessing: roberta,
  Sequence: (part) => {
    const { processors } = readPart(v.looseObject({ processors: v.array(kindSchema) }), part);
    const steps = processors.map((p) => postProcessor(p));
    return (texts, special) => steps.reduce((t, step) => step(t, special), texts);
  },
  TemplateProcessing: template,
};

/** @throws DataError for a kind that is not supported, by its name */
export function postProcessor(part: Part): PostProcessor {
  const make = Object.hasOwn(kinds, part.type) ? kinds[part.type] : undefined;
  return make ? make(part) : unknownKind('post-processor', part.type);
}

export const joinTexts = one;
export const typedText = typed;
