/** @file Tables of texts: CSV with any usual delimiter, TSV, JSON lines and lists. Rows that do not fit are named by their line. */
import { Breath } from '#src/platform/breath.ts';
import { MOST_CELLS } from '#src/platform/limits.ts';
import { Reason } from '#src/platform/refusals.ts';
import { entriesIn, linesIn } from './lines.ts';

export interface TableRow {
  /** 1-based line (CSV: row) in the file. */
  readonly line: number;
  /** By column name. */
  readonly fields: ReadonlyMap<string, string>;
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
  /** What is wrong, each with its line. */
  readonly troubles: readonly { readonly line: number; readonly message: string }[];
}

const delimiters = [',', ';', '\t', '|'] as const;

/** A row as it stands in the file. */
export interface SplitRow {
  readonly line: number;
  readonly fields: readonly string[];
  /** Its last field is quoted and does not end. */
  readonly open: boolean;
}

/** Characters after which the walk over a text stops for a moment, should no row have ended. */
const STRIDE = 65_536;

/**
 * Fields of delimiter-separated rows (RFC 4180: quotes, doubled quotes, line breaks within), of any text what Python's csv module makes of it, which pandas and
 * 🤗 datasets follow; blank lines are no rows. null: none has ended for a while.
 */
function* rowByRow(text: string, delimiter: string): Generator<SplitRow | null, void, undefined> {
  let line = 1;
  let start = 1;
  let fields: string[] = [];
  let field = '';
  let quoted = false;
  let fresh = true;
  const endRow = (open = false): SplitRow | null => {
    fields.push(field);
    const row = fields.length > 1 || fields[0] !== '' ? { line: start, fields, open } : null;
    [fields, field, fresh, start] = [[], '', true, line];
    return row;
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (i % STRIDE === 0) yield null;
    const ends = c === '\n' || (c === '\r' && text[i + 1] !== '\n');
    if (ends) line++;
    if (quoted) {
      if (c !== '"') field += c;
      else if (text[i + 1] === '"') field += text[++i]!;
      else quoted = false;
    } else if (c === '"' && fresh) [quoted, fresh] = [true, false];
    else if (c === delimiter) {
      fields.push(field);
      [field, fresh] = ['', true];
    } else if (ends) yield endRow();
    else if (c !== '\r') [field, fresh] = [field + c, false];
  }
  if (field !== '' || fields.length > 0) yield endRow(quoted);
}

/** All rows of a short text. */
export const splitRows = (text: string, delimiter: string): SplitRow[] =>
  [...rowByRow(text, delimiter)].filter((row) => row !== null);

/** The delimiter that cuts the first lines into the same number of fields, the most of them. */
export function sniffDelimiter(text: string): string {
  const sample = text.slice(0, 65_536);
  let best = ',';
  let most = 1;
  for (const delimiter of delimiters) {
    const rows = splitRows(sample, delimiter).slice(0, 20);
    const widths = rows.map((r) => r.fields.length);
    const width = widths[0] ?? 1;
    const fitting = widths.filter((w) => w === width).length / Math.max(1, widths.length);
    const score = width > 1 ? fitting + width / 1000 : 0;
    if (score > (most > 1 ? most : 0)) [best, most] = [delimiter, Math.max(score, 1.0001)];
  }
  return best;
}

/** Counts cells. @throws Reason beyond what fits the memory */
export class Cells {
  #count = 0;
  readonly #most: number;
  constructor(most = MOST_CELLS) {
    this.#most = most;
  }
  add(count: number): void {
    this.#count += count;
    if (this.#count > this.#most)
      throw new Reason(
        `it has more than ${this.#most.toLocaleString('en')} cells (rows times columns), the most that are read`,
      );
  }
}

export interface Reading {
  /** Breathes between rows. */
  readonly breath?: Breath | undefined;
  /** Cells that are read at most. */
  readonly most?: number | undefined;
}

/**
 * Reads CSV, TSV, JSON lines or a list of JSON, of which an entry's number is its line.
 *
 * @param path its extension tells the kind
 * @param hasHeader whether the first row names the columns; null: it does
 * @throws Reason for more cells than fit the memory
 */
export function parseTable(
  path: string,
  text: string,
  hasHeader: (first: readonly string[]) => boolean,
  { breath = new Breath(), most = MOST_CELLS }: Reading = {},
): Promise<Table> {
  const clean = text.replace(/^\uFEFF/, '');
  const cells = new Cells(most);
  return /\.jsonl?$|\.ndjson$/i.test(path)
    ? jsonTable(path, clean, cells, breath)
    : csvTable(path, clean, hasHeader, cells, breath);
}

async function csvTable(
  path: string,
  text: string,
  hasHeader: (first: readonly string[]) => boolean,
  cells: Cells,
  breath: Breath,
): Promise<Table> {
  const delimiter = /\.tsv$/i.test(path) ? '\t' : sniffDelimiter(text);
  const troubles: { line: number; message: string }[] = [];
  const rows: TableRow[] = [];
  let columns: readonly string[] | undefined;
  let header = false;
  for (const row of rowByRow(text, delimiter)) {
    if (breath.due) await breath.take();
    if (!row) continue;
    const { line, fields, open } = row;
    cells.add(fields.length);
    if (!columns) {
      const first = fields.map((f) => f.trim());
      header = hasHeader(first);
      columns = header ? first : first.map((_, i) => `column ${i + 1}`);
      if (header) continue;
    }
    if (open) troubles.push({ line, message: 'a quoted field does not end' });
    else if (fields.length !== columns.length)
      troubles.push({
        line,
        message: `it has ${fields.length} ${fields.length === 1 ? 'field' : 'fields'}, the ${header ? 'header' : 'first row'} has ${columns.length}`,
      });
    else rows.push({ line, fields: new Map(columns.map((name, i) => [name, fields[i]!.trim()])) });
  }
  return { columns: columns ?? [], rows, troubles };
}

async function jsonTable(path: string, text: string, cells: Cells, breath: Breath): Promise<Table> {
  const troubles: { line: number; message: string }[] = [];
  const rows: TableRow[] = [];
  const columns = new Set<string>();
  const add = (value: unknown, line: number): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      cells.add(1);
      troubles.push({ line, message: 'it is not a JSON object' });
      return;
    }
    const fields = new Map<string, string>();
    for (const [key, field] of Object.entries(value))
      if (typeof field === 'string' || typeof field === 'number' || typeof field === 'boolean') {
        fields.set(key, String(field).trim());
        columns.add(key);
      }
    cells.add(Math.max(1, fields.size));
    rows.push({ line, fields });
  };
  const list = /\.json$/i.test(path) ? await entriesIn(text, breath) : null;
  if (list) await breath.each(list, (value, i) => add(value, i + 1));
  else
    await breath.each(linesIn(text), (content, i) => {
      if (content.trim() === '') return;
      let value: unknown;
      try {
        value = JSON.parse(content);
      } catch {
        cells.add(1);
        troubles.push({ line: i + 1, message: 'it is not JSON' });
        return;
      }
      add(value, i + 1);
    });
  return { columns: [...columns], rows, troubles };
}

/** The first of the names that is a column, whatever its case. */
export const columnOf = (table: Table, names: readonly string[]): string | undefined =>
  names
    .map((name) => table.columns.find((c) => c.toLowerCase().replaceAll(/[\s-]+/g, '_') === name))
    .find((c) => c !== undefined);
