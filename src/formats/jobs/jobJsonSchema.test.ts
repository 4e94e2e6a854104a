/** @file The published schema of job files is up to date, says something of each key, and agrees with the parser. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { depth } from '#src/platform/testing/depth.ts';
import type { Field, TaskInfo } from '#src/tasks/info.ts';
import { taskInfos } from '#src/tasks/infos.ts';
import { jobFromTable, jobToTable, parseJob } from './job.ts';
import { printJob } from './printJob.ts';
import { jobJsonSchema, jobSchemaFile } from './jobJsonSchema.ts';
import { JobError } from '../errors.ts';

const text = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const check = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false }).compile(
  jobJsonSchema(),
);

const parses = (table: unknown): boolean => {
  try {
    jobFromTable(table);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(JobError);
    return false;
  }
};

type Piece = Readonly<Record<string, unknown>>;

/** Every property of a schema, by path. */
function properties(schema: Piece, path = ''): [string, Piece][] {
  const own = Object.entries((schema['properties'] as Record<string, Piece> | undefined) ?? {});
  return [
    ...own.flatMap(([key, piece]): [string, Piece][] => [
      [`${path}${key}`, piece],
      ...properties(piece, `${path}${key}.`),
    ]),
    ...(schema['items'] ? properties(schema['items'] as Piece, `${path}[].`) : []),
  ];
}

const everything = (): [string, Piece][] => {
  const { allOf, ...schema } = jobJsonSchema();
  const tasks = (allOf as { then: Piece }[]).flatMap(({ then }, i) =>
    properties(then, `${taskInfos[i]!.id}: `).filter(([path]) => path.includes('.')),
  );
  return [...properties(schema), ...tasks];
};

it.each(['docs/job.schema.json', 'public/job.schema.json'])(
  '%s is up to date: npm run schema writes it',
  (path) => expect(text(path)).toBe(jobSchemaFile()),
);

it('describes each key, and says what it may be', () => {
  const all = everything();
  expect(all.length).toBeGreaterThan(80);
  for (const [path, piece] of all) {
    expect(piece['description'], path).toMatch(/\S{2}/);
    expect(
      ['type', 'enum', 'const', 'anyOf'].some((key) => key in piece),
      path,
    ).toBe(true);
  }
});

/** The same whatever the numbers are: they are drawn by the schema's own bounds, or around them. */
function valueOf(piece: Piece): fc.Arbitrary<unknown> {
  const near = (x: number): number[] => [x - 1, x - 0.25, x, x + 0.25, x + 1];
  const bounds = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].flatMap((key) =>
    typeof piece[key] === 'number' ? near(piece[key]) : [],
  );
  const words = Array.isArray(piece['enum']) ? (piece['enum'] as unknown[]) : [];
  return fc.oneof(
    fc.constantFrom<unknown>(...words, ...bounds, 0, 0.5, 1, 3, -1),
    fc.constantFrom<unknown>(true, 'x', '', '>=3', '>', 'exact', [], [0.5, 0.9], [1, 2, 3], ['a'], {}),
    fc.constantFrom<unknown>(
      { dim: 4 },
      { size: 2, count: 3 },
      { terms: 3 },
      { terms: 65 },
      { per: 'channel' },
    ),
    fc.constantFrom<unknown>(
      { per: 'channel', fit: 'exact' },
      [{ match: {} }],
      [{ skip: true }],
      'x'.repeat(5000),
    ),
  );
}

/** What the parser refuses because of several keys together: the schema says of single ones. */
const together = /turns outputs only|cuts the input side|is for BOFT only/;

describe('the schema and the parser', () => {
  it.each(taskInfos)('agree on $id, key by key', ({ id }) => {
    const paths = everything().filter(
      ([path]) => !path.includes('[]') && (!path.includes(': ') || path.startsWith(`${id}: `)),
    );
    fc.assert(
      fc.property(
        fc
          .constantFrom(...paths)
          .chain(([path, piece]) => fc.tuple(fc.constant(path.replace(/^.*: /, '')), valueOf(piece))),
        ([path, value]) => {
          const table = path
            .split('.')
            .reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;
          const job = path === 'task' ? table : { task: id, ...table };
          let refusal = '';
          try {
            jobFromTable(job);
          } catch (error) {
            expect(error).toBeInstanceOf(JobError);
            refusal = (error as JobError).message;
          }
          if (together.test(refusal)) return;
          expect(check(job), `${JSON.stringify(job).slice(0, 200)} ${refusal}`).toBe(refusal === '');
        },
      ),
      { numRuns: depth(300, 1500), seed: 1 },
    );
  });

  it.each([
    [{}, true],
    [{ tasks: 'pairs' }, false],
    [{ task: 'pears' }, false],
    [{ task: 'pairs', options: { sampler: 'ddim' } }, false],
    [{ options: { sampler: 'ddim' } }, true],
    [{ train: { learningRate: 1 } }, false],
    [{ plan: { rule: [{ match: { out: '>=320' }, blocks: { size: 4 } }] } }, true],
    [{ plan: { rule: [{ match: { out: '=>320' } }] } }, false],
    [{ plan: { rule: Array.from({ length: 501 }, () => ({ match: {} })) } }, false],
  ])('agree on %j', (table, fine) => {
    expect([parses(table), check(table)]).toEqual([fine, fine]);
  });
});

/** Values that the form can set. */
function drawnFor({ id, defaults }: TaskInfo, field: Field): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'choice':
      return fc.constantFrom(...field.choices.map((c) => c.value));
    case 'flag':
      return fc.boolean();
    case 'number': {
      const { min = 0, max = min + 7, step = 1 } = field;
      const key = field.key.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
      const near = [min, min + step, max, defaults[field.key]];
      return fc.constantFrom(...near.filter((x) => parses({ task: id, options: { [key]: x } })));
    }
    case 'numbers':
      return fc.array(fc.constantFrom(0.25, 1, 57.375), { maxLength: 3 });
    default: {
      const key = field.key.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
      const likely = fc.constantFrom(defaults[field.key], 'none', 'Q: {prompt} A: {completion}');
      return fc
        .oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), likely)
        .filter((x) => parses({ task: id, options: { [key]: x } }));
    }
  }
}

describe.each(taskInfos)('a job of $id', (info) => {
  it('is the same after it was written and read', () => {
    fc.assert(
      fc.property(
        fc.record({
          steps: fc.integer({ min: 1, max: 1_000_000 }),
          seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
          learningRate: fc.double({ min: 1e-12, max: 1, noNaN: true }),
          split: fc.double({ min: 0, max: 0.99, noNaN: true }),
          recompute: fc.boolean(),
          quantise: fc.constantFrom('no' as const, 'int8' as const, 'int4' as const),
          flip: fc.boolean(),
          rescale: fc.boolean(),
          heldout: fc.option(fc.constantFrom('other', 'a/b c', 'ü.npz')),
          prompts: fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { maxLength: 4 }),
          options: fc.record(
            Object.fromEntries(info.fields.map((field) => [field.key, drawnFor(info, field)])),
          ),
        }),
        (drawn) => {
          const start = jobFromTable({ task: info.id });
          const job = {
            ...start,
            model: 'my models/x.onnx',
            adapter: 'before',
            options: { ...info.defaults, ...drawn.options },
            data: { ...start.data, split: drawn.split, flip: drawn.flip, heldout: drawn.heldout },
            train: {
              ...start.train,
              steps: drawn.steps,
              seed: drawn.seed,
              learningRate: drawn.learningRate,
              recompute: drawn.recompute,
              quantise: drawn.quantise,
            },
            plan: {
              ...start.plan,
              rescale: drawn.rescale,
              rules: [
                { match: { name: '*head*' }, skip: true },
                { match: { kind: 'conv' as const }, lrScale: 2 },
              ],
            },
            sample: { ...start.sample, prompts: drawn.prompts },
          };
          expect(parseJob(printJob(job))).toEqual(job);
          expect(check(jobToTable(job)), JSON.stringify(check.errors)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is complete as written: nothing is left to defaults that may change', () => {
    const job = jobFromTable({ task: info.id });
    const written = jobToTable(job) as Record<string, Record<string, unknown>>;
    const keys = properties({ properties: jobJsonSchema()['properties'] ?? {} })
      .map(([path]) => path)
      .filter((path) => /^(data|train|sample)\.[^.]+$/.test(path));
    for (const path of keys) {
      const [section, key] = path.split('.') as [string, string];
      expect(written[section], path).toHaveProperty(key);
    }
    expect(Object.keys(written['options']!).sort()).toEqual(Object.keys(info.entries).sort());
  });
});
