/** @file The inputs of models that read text: what each is for, and its values for rows of tokens. */
import type { Graph, Value } from '#src/graph/types.ts';
import { ModelError, type ModelValue } from '#src/onnx/model.ts';
import type { TypedArray } from '#src/onnx/tensor.ts';
import { settingInputs } from '#src/onnx/givenInputs.ts';
import type { ModelFile } from '#src/tasks/types.ts';

/** What each known input is. */
export type TextRole = 'ids' | 'mask' | 'positions' | 'types' | 'past' | 'branch';

function roleOf({ name, shape }: ModelValue): TextRole | null {
  if (/^(past_key_values|past)[._]|^past_?\d|past.*(key|value)/i.test(name) && shape?.length === 4)
    return 'past';
  if (/^use_cache_branch$/.test(name)) return 'branch';
  if (/attention_?mask|input_?mask|^mask$/i.test(name)) return 'mask';
  if (/position_?ids/i.test(name)) return 'positions';
  if (/(token_?type|segment)_?ids/i.test(name)) return 'types';
  return /input_?ids|^input$|^tokens$|^ids$/i.test(name) ? 'ids' : null;
}

export interface TextInputs {
  readonly roles: ReadonlyMap<string, TextRole>;
  /** Name of the input that takes the tokens. */
  readonly ids: string;
  /** Batch and length that the file fixes; null: free. */
  readonly batch: number | null;
  readonly length: number | null;
}

/**
 * Tells the inputs apart.
 * @param takes "a language model takes …", with the way out
 * @throws ModelError for an input that `known` lacks, or without tokens
 */
export function readTextInputs(
  { path, model }: Pick<ModelFile, 'path' | 'model'>,
  known: readonly TextRole[],
  takes: string,
): TextInputs {
  const roles = new Map<string, TextRole>();
  const { inputs } = model.graph;
  for (const input of inputs) {
    const role = roleOf(input);
    if (!role || !known.includes(role))
      throw new ModelError(
        `${path} has an input ${input.name} that text has nothing for: ${takes} If it is one value for all (a flag, a rate), ${settingInputs(input.name)}`,
      );
    roles.set(input.name, role);
  }
  const ids = inputs.find((v) => roles.get(v.name) === 'ids');
  if (!ids)
    throw new ModelError(
      `${path} has no input_ids: it takes no text. Its inputs are ${inputs.map((v) => v.name).join(', ')}.`,
    );
  const fixed = (axis: number): number | null => {
    const dim = ids.shape?.[axis];
    return typeof dim === 'number' ? dim : null;
  };
  return { roles, ids: ids.name, batch: fixed(0), length: fixed(1) };
}

/** Tokens of one row, padded at the end. */
export interface TokenRow {
  readonly ids: Int32Array;
  /** Tokens before the padding. */
  readonly real: number;
  /** Token types (segments); absent: all 0. */
  readonly types?: Int32Array;
}

/** Values of the graph's inputs for rows of tokens, [B, L] each. */
export function textFeeds(
  graph: Graph,
  { roles }: TextInputs,
  rows: readonly TokenRow[],
): Record<string, TypedArray> {
  const feeds: Record<string, TypedArray> = {};
  for (const { name, type, shape } of graph.inputs) {
    const role = roles.get(name);
    if (role === undefined) continue;
    const length = shape[1]!;
    const values = new Int32Array(shape[0]! * length);
    rows.forEach(({ ids, real, types }, r) => {
      for (let i = 0; i < length; i++) {
        const at = r * length + i;
        if (role === 'ids') values[at] = ids[i]!;
        else if (role === 'mask') values[at] = i < real ? 1 : 0;
        else if (role === 'positions') values[at] = i;
        else if (role === 'types') values[at] = types?.[i] ?? 0;
      }
    });
    feeds[name] = inType(type, values);
  }
  return feeds;
}

function inType(type: Value['type'], values: Int32Array): TypedArray {
  if (type === 'int64') return BigInt64Array.from(values, BigInt);
  if (type === 'bool') return Uint8Array.from(values);
  return type === 'float32' ? Float32Array.from(values) : values;
}
