/** @file How many tokens a model reads of a text: what its file fixes, what is asked for, what the model takes, and what fits the memory. */
import type { Graph } from '#src/graph/types.ts';
import type { Model } from '#src/onnx/model.ts';
import { byteLength } from '#src/onnx/tensor.ts';
import { DataError } from '#src/tasks/files.ts';
import type { ModelFile, TaskHost } from '#src/tasks/types.ts';
import type { TextInputs } from './inputs.ts';
import type { TextTokens } from './tokens.ts';

/** Texts are no longer than this where neither job nor model says so: memory grows with them. */
const USUAL = 512;

/** Tables with fewer rows hold no positions (they tell two texts apart). */
const FEWEST = 16;

/** Tokens of a row. */
export interface ReadingLength {
  /** At most. */
  readonly most: number;
  /** The model's file, or the job, wants exactly these. */
  readonly exact: boolean;
}

/**
 * Rows of the table of learned positions: one as wide as that of the words, picked from by places rather than by tokens. null: there is none, or
 * places are counted from the tokens (RoBERTa's begin behind the padding's).
 */
export function learnedPositions({ graph }: Model, { ids, roles }: TextInputs): number | null {
  const from = new Map<string, 'ids' | 'types'>([[ids, 'ids']]);
  for (const [name, role] of roles) if (role === 'types') from.set(name, 'types');
  const tables: { rows: number; width: number; words: boolean }[] = [];
  for (const node of graph.nodes) {
    const table = graph.initializers.get(node.inputs[0] ?? '');
    if (node.op === 'Gather' && table?.shape.length === 2) {
      const [rows, width] = table.shape as [number, number];
      const source = from.get(node.inputs[1]!);
      if (source !== 'types') tables.push({ rows, width, words: source === 'ids' });
      continue;
    }
    // Shapes tell how many tokens there are, not which.
    if (node.op === 'Shape') continue;
    const source = node.inputs.map((name) => from.get(name)).find((s) => s !== undefined);
    if (source !== undefined) for (const name of node.outputs) from.set(name, source);
  }
  const words = tables.find((t) => t.words);
  const rows = tables
    .filter((t) => !t.words && t.rows >= FEWEST && t.width === words?.width)
    .map((t) => t.rows);
  return rows.length === 0 ? null : Math.min(...rows);
}

/**
 * Tokens of a row, at most.
 *
 * @param asked by the job; 0: nothing
 * @param batch of the job
 * @throws DataError where the file's sizes or the model's limit stand against it
 */
export function readingLength(
  { path, model }: ModelFile,
  inputs: TextInputs,
  tokens: TextTokens,
  asked: number,
  batch: number,
): ReadingLength {
  const { length: fixed, batch: own } = inputs;
  if (fixed !== null && asked !== 0 && asked !== fixed)
    throw new DataError(
      `${path} reads exactly ${fixed} tokens, not ${asked}. Set the length to ${fixed} or 0, or export the model with a free length.`,
    );
  if (own !== null && own !== batch)
    throw new DataError(
      `${path} takes batches of exactly ${own}, not ${batch}. Set the batch to ${own}, or export the model with a free batch.`,
    );
  const table = learnedPositions(model, inputs);
  const said = tokens.longest ?? Infinity;
  const most = Math.min(said, table ?? Infinity);
  if (fixed !== null) return { most: fixed, exact: true };
  if (asked > most)
    throw new DataError(
      `The model reads at most ${most} tokens (${said <= most ? 'config.json or tokenizer_config.json' : `its table of positions in ${path}`}), not ${asked}. Choose a smaller length.`,
    );
  if (asked > 0) return { most: asked, exact: true };
  return { most: Number.isFinite(most) ? most : USUAL, exact: false };
}

/** Rows that hold so many tokens: a multiple of 8, so that few lengths occur. @param most it is never more */
export const roundedLength = (tokens: number, most: number): number =>
  Math.min(most, Math.max(8, Math.ceil(tokens / 8) * 8));

/** What a graph's results take together, bytes: a training step keeps about as much at its peak, since results wait for their gradients. */
export function resultBytes(graph: Graph): number {
  let sum = 0;
  for (const node of graph.nodes)
    for (const name of node.outputs) {
      const value = graph.values.get(name);
      if (value && value.type !== 'string') sum += byteLength(value.type, value.shape);
    }
  return sum;
}

/** Bytes of a graph's weights. */
export function weightBytes(graph: Graph): number {
  let sum = 0;
  for (const { type, shape } of graph.constants.values())
    if (type !== 'string') sum += byteLength(type, shape);
  return sum;
}

/** Where no browser says how much a GPU has: as much as WebAssembly can address. */
const UNKNOWN = 4 * 2 ** 30 - 256 * 2 ** 20;
/** Of what is there, so much may be planned with: the rest is for what allocators add, and the gradients. */
export const SHARE = 0.5;
/** Rows are not halved below this. */
const SHORTEST = 64;

/**
 * The longest rows that fit the device, halving from `most`.
 *
 * @param graphAt the forward graph of a batch with rows of so many tokens
 */
export function lengthThatFits(
  most: number,
  { memory }: Pick<TaskHost, 'memory'>,
  graphAt: (length: number) => Graph,
): number {
  const offered = memory?.bytes ?? UNKNOWN;
  const largest = memory?.largest ?? Infinity;
  const fits = (length: number): boolean => {
    const graph = graphAt(length);
    const big = [...graph.values.values()].reduce(
      (n, { name, type, shape }) =>
        type === 'string' || graph.constants.has(name) ? n : Math.max(n, byteLength(type, shape)),
      0,
    );
    return big <= largest && weightBytes(graph) + resultBytes(graph) <= SHARE * offered;
  };
  let length = most;
  while (length > SHORTEST && !fits(length)) length = roundedLength(Math.ceil(length / 2), most);
  return length;
}
