/** @file What the JSON files beside a model say of its sizes: transformers' and diffusers' config.json, onnxruntime-genai's genai_config.json. */
import * as v from 'valibot';
import type { DimHints } from '#src/graph/assume.ts';
import type { FileSet } from './files.ts';
import { textBeside } from './textFiles.ts';

const size = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_536));
const sides = v.union([
  size,
  v.pipe(
    v.array(size),
    v.length(2),
    v.transform(([height]) => height!),
  ),
  v.pipe(
    v.object({ height: size }),
    v.transform(({ height }) => height),
  ),
]);
const loose = <T extends v.GenericSchema>(schema: T) => v.fallback(v.optional(schema), undefined);

/** Of a decoder: how its cache of keys and values is laid out. */
const decoder = {
  head_dim: loose(size),
  hidden_size: loose(size),
  n_embd: loose(size),
  num_attention_heads: loose(size),
  n_head: loose(size),
  num_key_value_heads: loose(size),
};
const configSchema = v.object({
  ...decoder,
  text_config: loose(v.object(decoder)),
  image_size: loose(sides),
  sample_size: loose(sides),
  num_channels: loose(size),
  in_channels: loose(size),
  max_position_embeddings: loose(size),
  n_positions: loose(size),
  max_target_positions: loose(size),
});
const genaiSchema = v.object({
  model: v.object({
    context_length: loose(size),
    decoder: loose(v.object({ head_size: loose(size), num_key_value_heads: loose(size) })),
  }),
});

type Decoder = v.InferOutput<v.ObjectSchema<typeof decoder, undefined>>;

function cacheOf(c: Decoder): Pick<DimHints, 'headSize' | 'cacheHeads'> {
  const heads = c.num_attention_heads ?? c.n_head;
  const width = c.hidden_size ?? c.n_embd;
  const even = heads !== undefined && width !== undefined && width % heads === 0 ? width / heads : undefined;
  return { headSize: c.head_dim ?? even, cacheHeads: c.num_key_value_heads ?? heads };
}

/** @param text of the file; undefined, or no JSON: it says nothing */
function parsed<T extends v.GenericSchema>(
  schema: T,
  text: string | undefined,
): v.InferOutput<T> | undefined {
  if (text === undefined) return undefined;
  try {
    const result = v.safeParse(schema, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** Names of the files, the model's own folder first. */
export const hintFiles = ['config.json', 'genai_config.json'] as const;

/** What the files' texts say; genai_config.json belongs to the very export, and goes first. */
export function hintsOf(texts: Readonly<Partial<Record<(typeof hintFiles)[number], string>>>): DimHints {
  const c = parsed(configSchema, texts['config.json']);
  const genai = parsed(genaiSchema, texts['genai_config.json'])?.model;
  const cache = c && cacheOf(c.text_config ?? c);
  return {
    side: c?.sample_size ?? c?.image_size,
    channels: c?.in_channels ?? c?.num_channels,
    positions:
      c?.max_position_embeddings ?? c?.n_positions ?? c?.max_target_positions ?? genai?.context_length,
    headSize: genai?.decoder?.head_size ?? cache?.headSize,
    cacheHeads: genai?.decoder?.num_key_value_heads ?? cache?.cacheHeads,
  };
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** What the files beside a model, or one folder up, say of its sizes; what cannot be read says nothing. */
export async function readHints(files: FileSet, path: string): Promise<DimHints> {
  const own = folderOf(path);
  const above = folderOf(own.slice(0, -1));
  const texts: Partial<Record<(typeof hintFiles)[number], string>> = {};
  for (const name of hintFiles) {
    const found = [`${own}${name}`, `${above}${name}`].find((p) => files.paths.includes(p));
    if (found) texts[name] = await textBeside(files, found);
  }
  return hintsOf(texts);
}
