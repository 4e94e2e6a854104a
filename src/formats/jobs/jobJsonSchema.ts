/** @file The JSON Schema of job files, made from the schemas that the parser itself uses. */
import type * as v from 'valibot';
import type { Field } from '#src/tasks/info.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import { type JsonSchema, shapeOf } from '#src/tasks/optionSchema.ts';
import { defaultJob, jobSchema } from './job.ts';
import { jobWords } from './jobWords.ts';

/** What is read of valibot's schemas. */
interface Piece {
  readonly type: string;
  readonly wrapped?: Piece;
  readonly entries?: Readonly<Record<string, Piece>>;
  readonly item?: Piece;
  readonly pipe?: readonly (Piece & { readonly requirement?: unknown })[];
}

/** The sentence for a key; settings of layers say the same in the plan and in its rules. */
const wordsFor = (path: string): string | undefined =>
  jobWords[path] ?? jobWords[path.replace(/^plan\.(rule\.)?/, '')];

function converted(piece: Piece, path: string): JsonSchema {
  if (piece.type === 'optional') return converted(piece.wrapped!, path);
  const description = wordsFor(path);
  return { ...(description !== undefined && { description }), ...shape(piece, path) };
}

function shape(piece: Piece, path: string): JsonSchema {
  const [first, ...actions] = piece.pipe ?? [];
  if (first) {
    const object = actions.find(({ type }) => type === 'strict_object');
    if (object) return shape(object, path);
    const longest = actions.find(({ type }) => type === 'max_length')?.requirement;
    return { ...shape(first, path), ...(longest !== undefined && { maxItems: longest }), ...extra(path) };
  }
  switch (piece.type) {
    case 'custom':
      return shapeOf(piece) ?? {};
    case 'array':
      return { type: 'array', items: shape(piece.item!, path) };
    case 'strict_object':
      return objectOf(piece.entries!, path);
    default:
      throw new TypeError(`${path}: no JSON Schema for valibot's ${piece.type}`);
  }
}

/** What a check says of several keys together. */
const extra = (path: string): JsonSchema =>
  path.endsWith('blocks')
    ? {
        oneOf: ['dim', 'count', 'size', 'per'].map((way) => ({ required: [way] })),
        dependentSchemas: {
          per: {
            not: { anyOf: ['stages', 'fit', 'max_size', 'max_params'].map((key) => ({ required: [key] })) },
          },
        },
      }
    : {};

function objectOf(entries: Readonly<Record<string, Piece>>, path: string): JsonSchema {
  const keys = Object.keys(entries);
  const required = keys.filter((key) => entries[key]!.type !== 'optional');
  return {
    type: 'object',
    properties: Object.fromEntries(
      keys.map((key) => [key, converted(entries[key]!, path === '' ? key : `${path}.${key}`)]),
    ),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

const camel = (key: string): string => key.replaceAll(/_([a-z])/g, (_, c: string) => c.toUpperCase());

/** A task's own table: each option with the words of its field in the form. */
function optionsOf(entries: v.ObjectEntries, fields: readonly Field[]): JsonSchema {
  const words = new Map(
    fields.map(({ key, label, help }) => [key, help ? `${label}. ${help}` : `${label}.`]),
  );
  const object = objectOf(entries, 'options');
  const properties = Object.entries(object['properties'] as Record<string, JsonSchema>).map(([key, one]) => [
    key,
    { description: words.get(camel(key)), ...one },
  ]);
  return { ...object, properties: Object.fromEntries(properties) };
}

/**
 * The schema of job files as JSON Schema 2020-12: keys, types and bounds, and the options of each task. What settings mean together (BOFT
 * turns outputs only) the parser alone says.
 */
export function jobJsonSchema(): JsonSchema {
  const { description, ...top } = converted(jobSchema, '');
  const tasks = taskInfos.map(({ id, title, entries, fields }) => ({
    if: { properties: { task: { const: id } }, ...(id === defaultJob.task ? {} : { required: ['task'] }) },
    then: { properties: { options: { title, ...optionsOf(entries, fields) } } },
  }));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Rotune job',
    description,
    ...top,
    allOf: tasks,
  };
}

/** The schema as the file that is published. */
export const jobSchemaFile = (): string => `${JSON.stringify(jobJsonSchema(), null, 2)}\n`;
