/** @file What the files beside a model say of what it was made for: transformers' and diffusers' configurations, a tokenizer, a pipeline. */
import * as v from 'valibot';
import { baseName, type FileSet } from '#src/tasks/files.ts';
import { textBeside } from '#src/tasks/textFiles.ts';

export interface Beside {
  /** Classes that config.json names as the model's: ["BertForSequenceClassification"]; empty: it names none. */
  readonly architectures: readonly string[];
  /** How many classes config.json names; null: none. */
  readonly classes: number | null;
  /** There is a tokenizer.json. */
  readonly tokenizer: boolean;
  /** It was exported to write text: there is a generation_config.json or genai_config.json. */
  readonly generates: boolean;
  /** It gives a text as one row of numbers: a folder of sentence-transformers. */
  readonly embeds: boolean;
  /** The pipeline that model_index.json names; null: the model stands alone. */
  readonly pipeline: string | null;
  /** Folder of the pipeline that the model lies in: "unet". '' where there is none. */
  readonly part: string;
}

/** Nothing lies beside it. */
export const nothingBeside: Beside = {
  architectures: [],
  classes: null,
  tokenizer: false,
  generates: false,
  embeds: false,
  pipeline: null,
  part: '',
};

const loose = <T extends v.GenericSchema>(schema: T) => v.fallback(v.optional(schema), undefined);
const configSchema = v.object({
  architectures: loose(v.array(v.string())),
  id2label: loose(v.record(v.string(), v.unknown())),
});
const indexSchema = v.object({ _class_name: v.string() });

/** JSON of a file as a schema has it; null: there is none, or it says something else. */
async function parsed<T extends v.GenericSchema>(
  files: FileSet,
  path: string | undefined,
  schema: T,
): Promise<v.InferOutput<T> | null> {
  if (path === undefined) return null;
  try {
    const result = v.safeParse(schema, JSON.parse(await textBeside(files, path)));
    return result.success ? result.output : null;
  } catch {
    return null;
  }
}

/** The pipeline's class in model_index.json, at the top or one level down; null: there is none. */
export async function readPipelineClass(files: FileSet): Promise<string | null> {
  const index = files.paths.find((p) => /^([^/]+\/)?model_index\.json$/.test(p));
  return (await parsed(files, index, indexSchema))?._class_name ?? null;
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** Reads what lies in the model's own folder, or one folder up; what cannot be read says nothing. */
export async function readBeside(files: FileSet, path: string): Promise<Beside> {
  const own = folderOf(path);
  const above = folderOf(own.slice(0, -1));
  const there = new Set(files.paths);
  const find = (name: string): string | undefined =>
    [`${own}${name}`, `${above}${name}`].find((p) => there.has(p));
  const config = await parsed(files, find('config.json'), configSchema);
  const labels = config?.id2label && Object.keys(config.id2label).length;
  const has = (...names: readonly string[]): boolean => names.some((name) => find(name) !== undefined);
  return {
    architectures: config?.architectures ?? [],
    classes: labels ?? null,
    // Tasks take the only one of the set from wherever it lies.
    tokenizer: files.paths.some((p) => baseName(p) === 'tokenizer.json'),
    generates: has('generation_config.json', 'genai_config.json'),
    embeds: has('modules.json', '1_Pooling/config.json', 'config_sentence_transformers.json'),
    pipeline: await readPipelineClass(files),
    part: own.slice(0, -1).split('/').at(-1) ?? '',
  };
}
