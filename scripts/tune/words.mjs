/** @file What `npm run tune` says and keeps of a run's evaluations and samples, whatever the task: lines, tables, texts. */

/** @import { Evaluation, Metric, Preparation, Problem, Remark, ReportTable, RunEvent, Samples } from '#workers/protocol.ts' */
/** @typedef {{ step: number } & Samples} Row */

/** 0.98 → "98.0 %". @param {Metric} metric */
export const metricText = ({ name, value, unit }) =>
  `${name} ${unit === 'share' ? `${(value * 100).toFixed(1)} %` : value.toFixed(4)}`;

/** Held-out loss, metrics and the like, in a line; '': nothing was judged. @param {Evaluation} evaluation */
export function evaluationLine({ step, heldoutLoss, saturation, metrics = [] }) {
  const figures = [
    heldoutLoss === null ? null : `held-out loss ${heldoutLoss.toFixed(4)}`,
    saturation === null || metrics.some(({ name }) => name === 'saturation')
      ? null
      : `saturation ${saturation.toFixed(4)}`,
    ...metrics.map(metricText),
  ].filter((figure) => figure !== null);
  return figures.length > 0 ? `step ${step}: ${figures.join(', ')}` : '';
}

/** A table in columns of equal width. @param {ReportTable} table */
export function tableText({ title, columns, rows }) {
  const cells = [columns, ...rows].map((row) =>
    columns.map((_, i) => (row[i] ?? '').replaceAll(/\s+/g, ' ')),
  );
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => [...(row[i] ?? '')].length)));
  const line = (/** @type {readonly string[]} */ row) =>
    `  ${row.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - [...cell].length)).join('  ')}`.trimEnd();
  const [head, ...body] = cells;
  return [
    title,
    line(head ?? []),
    `  ${widths.map((w) => '─'.repeat(w)).join('  ')}`,
    ...body.map(line),
  ].join('\n');
}

/** The end of a run in words: the first and the last figures, and the last tables. @param {readonly Evaluation[]} evaluations */
export function summary(evaluations) {
  const first = evaluations[0];
  const last = evaluations.at(-1);
  if (!last) return '';
  const lines =
    first && first !== last ? [evaluationLine(first), evaluationLine(last)] : [evaluationLine(last)];
  return [...lines.filter(Boolean), ...(last.tables ?? []).map((table) => `\n${tableText(table)}`)].join(
    '\n',
  );
}

/** Texts of a row, each behind what it answers; '': it has none. @param {Row} row */
export function textsOf({ prompts, texts }) {
  if (!texts) return '';
  return texts
    .map((text, i) => `${prompts[i] ?? `sample ${i + 1}`}\n${text.replaceAll(/^/gm, '    ')}\n`)
    .join('\n');
}

/** All rows' texts as JSON. @param {Iterable<Row>} rows */
export const samplesFile = (rows) =>
  `${JSON.stringify(
    [...rows].map(({ step, prompts, texts }) => ({ step, prompts, texts: texts ?? [] })),
    null,
    2,
  )}\n`;

/** @param {Extract<RunEvent, { kind: 'phase' }>} event */
export function phaseLine({ phase, done, total }) {
  const names = {
    fetching: 'Fetching',
    loading: 'Loading',
    preparing: 'Preparing the data',
    compiling: 'Compiling',
    sampling: 'Making samples',
    training: 'Training',
    evaluating: 'Judging by held-out data',
    saving: 'Saving',
  };
  return `${names[phase]} …${done !== undefined && total ? ` ${done} of ${total}` : ''}`;
}

/** Whose words of an export of chats are learned, and whether they are enough. @param {Preparation['preview']} preview */
const voiceLines = ({ chats }) =>
  chats?.verdict
    ? [`${chats.verdict.words} The model will imitate ${chats.speaker}: tell whoever talks with it.`]
    : [];

/** What a run will be, in lines. @param {Preparation} prepared */
export function preparedLines({ backend, planned, parameters, images, heldout, preview, adapter }) {
  const facts = preview.facts.map(({ label, value }) => `${label}: ${value}`).join('; ');
  const lines = [
    `${backend.kind}, ${backend.threads} thread${backend.threads === 1 ? '' : 's'}: ${backend.reason}`,
    `${planned.length} layers, ${parameters.stored.toLocaleString('en')} numbers to train; ${images} examples, ${heldout} held out`,
    ...(facts === '' ? [] : [facts]),
    ...voiceLines(preview),
  ];
  if (!adapter) return lines;
  const strangers = adapter.unexpected.length;
  return [
    ...lines,
    `Starting from an adapter (${adapter.format}): ${adapter.loaded} layers are in it`,
    ...adapter.notes,
    ...(strangers > 0 ? [`warning: ${strangers} of its keys belong to no layer here`] : []),
  ];
}

/** How files are laid out that say what the page has controls for: by task, or for all, then by the kind of the remark. @type {Readonly<Record<string, Readonly<Record<string, string>>>>} */
const IN_FILES = {
  all: {
    'wrong-row': 'Correct the rows of the table; put fields that hold the delimiter into double quotes.',
    'unread-list': 'Save it again as UTF-8.',
    'class-order':
      'Put a labels.txt beside the model, one class a line; or list them as class_names under [options].',
  },
  diffusion: {
    'no-data': 'Name a folder of pictures under [data].',
    'no-caption':
      'Write each caption into a .txt file of the same name, or into a metadata.jsonl with file_name and text.',
    'shared-caption': 'Give each picture a .txt file of its own: cat.png.txt for cat.png.',
    'no-column': 'Name the columns file_name and text.',
  },
  'image-classification': {
    'no-data': 'Name a folder that has a subfolder of pictures for each class.',
    'no-class':
      'Put each picture into a folder named after its class, or add a metadata.csv with the columns file_name and label.',
    'no-column': 'Name the columns file_name and label.',
  },
  'text-classification': {
    'no-data': 'Name a table with the columns text and label, or a folder of .txt files for each class.',
    'no-class':
      'Put each text into a folder named after its class, or use a table with the columns text and label.',
    'no-label': 'Fill in the column label, or delete the rows.',
    'no-column':
      'Name the columns text and label, or say under [options] what they are called: column, label_column.',
  },
  language: {
    'no-data': 'Name a file or folder with .txt, .jsonl, .csv or .tsv files.',
    'no-column': 'Say under [options] which to learn: column.',
  },
  pairs: {
    'no-sides':
      'Put the pictures into two folders named input and target, with the same names in both, or add a metadata.csv with the columns input and target.',
    'no-target': 'Put each pair under the same name into the folders input and target.',
    'no-input': 'Put each pair under the same name into the folders input and target.',
  },
  generic: { 'no-target-array': 'Say under [options] which it is: target.' },
};

/**
 * What a remark of the page comes to where there are files alone: how they say it, and the keys of the job file that its button would set.
 * @param {string} task @param {Pick<Remark, 'kind' | 'mend'>} remark @returns '': nothing
 */
export function inFiles(task, { kind = '', mend }) {
  const keys = Object.entries({ data: mend?.data, options: mend?.options }).flatMap(([table, values]) =>
    Object.entries(values ?? {}).map(
      ([key, value]) =>
        `${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)} = ${JSON.stringify(value)} under [${table}]`,
    ),
  );
  const laid = IN_FILES[task]?.[kind] ?? IN_FILES.all?.[kind];
  return [
    ...(laid === undefined ? [] : [laid]),
    ...(keys.length > 0 ? [`In a job file: ${keys.join(', ')}.`] : []),
  ].join(' ');
}

/** A problem in one line. @param {Problem} problem */
export const inWords = ({ message, safe, cure }) =>
  [message, safe, cure]
    .filter((part) => part !== undefined && part !== '')
    .join(' ')
    .replaceAll(/\s*\n\s*/g, ' ');
