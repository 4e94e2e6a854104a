/** @file Scores of texts by the trained classifier, in batches of the training's size. */
import { judge, percent } from '#src/tasks/classification/metrics.ts';
import { inBatches } from '#src/tasks/prepared.ts';
import { textFeeds, type TokenRow } from '#src/tasks/text/inputs.ts';
import type { TextTokens } from '#src/tasks/text/tokens.ts';
import type { Scale } from '#src/tasks/scores/scores.ts';
import { sharesOf } from '#src/tasks/classification/shares.ts';
import type { Adapted, Answer, Samples, Tell } from '#src/tasks/types.ts';
import type { TextClassifier } from './classifier.ts';
import { padded, tokenise } from './rows.ts';

/** A classifier with the head that it is trained with. */
export interface Head {
  readonly classifier: TextClassifier;
  /** Of a new head; null: the model's own head. */
  readonly classes: number | null;
  /** By index of the logits. */
  readonly names: readonly string[];
}

/** @param each gets the logits [C] of row i */
export async function score(
  { classifier, classes, names }: Head,
  rows: readonly TokenRow[],
  length: number,
  adapted: Adapted,
  tell: Tell,
  each: (i: number, scores: Float32Array, scale: Scale) => void,
): Promise<void> {
  const { batch } = classifier.job.train;
  const { graph, logits, scale } = classifier.graph(batch, length, classes);
  const run = await adapted.run('sort texts', graph);
  for (const { start, some } of inBatches(rows, batch, tell)) {
    // A last batch is filled up; what comes of that is not read.
    const filled = Array.from({ length: batch }, (_, i) => some[i] ?? some[0]!);
    const out = await run(textFeeds(graph, classifier.inputs, filled));
    const all = out[logits.name] as Float32Array;
    some.forEach((_, i) => {
      each(start + i, all.subarray(i * names.length, (i + 1) * names.length), scale);
    });
  }
}

async function rowsOf(tokens: TextTokens, texts: readonly string[], length: number): Promise<TokenRow[]> {
  const rows: TokenRow[] = [];
  for (const text of texts)
    rows.push(padded(await tokenise(tokens, { text, pair: null }, length), length, tokens.pad));
  return rows;
}

/** The shares of all classes of each text. */
export async function askedTexts(
  head: Head,
  texts: readonly string[],
  length: number,
  adapted: Adapted,
  tell: Tell,
): Promise<Answer[]> {
  const { tokens } = head.classifier;
  const rows = await rowsOf(tokens, texts, length);
  const items: Answer[] = [];
  await score(head, rows, length, adapted, tell, (i, scores) => {
    items.push({ name: texts[i]!, shares: sharesOf(scores, head.names) });
  });
  return items;
}

/** The class of each text with its share: "complaint 93 %". @param rows of the texts, where they are tokenised already */
export async function sorted(
  head: Head,
  texts: readonly string[],
  length: number,
  adapted: Adapted,
  tell: Tell,
  rows?: readonly TokenRow[],
): Promise<Samples> {
  const { tokens } = head.classifier;
  const own = rows ?? (await rowsOf(tokens, texts, length));
  const said: string[] = [];
  await score(head, own, length, adapted, tell, (_, scores) => {
    const { got, share } = judge('', 0, scores);
    said.push(`${head.names[got] ?? got} ${percent(share)}`);
  });
  return { prompts: texts, pictures: [], texts: said };
}
