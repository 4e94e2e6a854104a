/** @file Tables of texts: CSV with any usual delimiter, TSV, JSON lines. Rows that do not fit are named by their line. */

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

/**
 * Fields of delimiter-separated rows (RFC 4180: quotes, doubled quotes, line breaks within), of any text what Python's csv module makes of it, which pandas and
 * 🤗 datasets follow; blank lines are no rows.
 */
export function splitRows(text: string, delimiter: string): SplitRow[] {
  const rows: SplitRow[] = [];
  let line = 1;
  let start = 1;
  let fields: string[] = [];
  let field = '';
  let quoted = false;
  let fresh = true;
  const endRow = (open = false): void => {
    fields.push(field);
    if (fields.length > 1 || fields[0] !== '') rows.push({ line: start, fields, open });
    [fields, field, fresh, start] = [[], '', true, line];
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
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
    } else if (ends) endRow();
    else if (c !== '\r') [field, fresh] = [field + c, false];
  }
  if (field !== '' || fields.length > 0) endRow(quoted);
  return rows;
}

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

/**
 * Reads CSV, TSV or JSON lines.
 *
 * @param path its extension tells the kind
 * @param hasHeader whether the first row names the columns; null: it does
 */
export function parseTable(
  path: string,
  text: string,
  hasHeader: (first: readonly string[]) => boolean,
): Table {
  const clean = text.replace(/^\uFEFF/, '');
  return /\.jsonl?$|\.ndjson$/i.test(path) ? jsonTable(clean) : csvTable(path, clean, hasHeader);
}

function csvTable(path: string, text: string, hasHeader: (first: readonly string[]) => boolean): Table {
  const delimiter = /\.tsv$/i.test(path) ? '\t' : sniffDelimiter(text);
  const all = splitRows(text, delimiter);
  const first = all[0]?.fields.map((f) => f.trim()) ?? [];
  const header = all.length > 0 && hasHeader(first);
  const columns = header ? first : first.map((_, i) => `column ${i + 1}`);
  const troubles: { line: number; message: string }[] = [];
  const rows: TableRow[] = [];
  for (const { line, fields, open } of header ? all.slice(1) : all) {
    if (open) troubles.push({ line, message: 'a quoted field does not end' });
    else if (fields.length !== columns.length)
      troubles.push({
        line,
        message: `it has ${fields.length} ${fields.length === 1 ? 'field' : 'fields'}, the ${header ? 'header' : 'first row'} has ${columns.length}`,
      });
    else rows.push({ line, fields: new Map(columns.map((name, i) => [name, fields[i]!.trim()])) });
  }
  return { columns, rows, troubles };
}

function jsonTable(text: string): Table {
  const troubles: { line: number; message: string }[] = [];
  const rows: TableRow[] = [];
  const columns = new Set<string>();
  text.split(/\r?\n/).forEach((content, i) => {
    if (content.trim() === '') return;
    const line = i + 1;
    let value: unknown;
    try {
      value = JSON.parse(content);
    } catch {
      troubles.push({ line, message: 'it is not JSON' });
      return;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      troubles.push({ line, message: 'it is not a JSON object' });
      return;
    }
    const fields = new Map<string, string>();
    for (const [key, field] of Object.entries(value))
      if (typeof field === 'string' || typeof field === 'number' || typeof field === 'boolean') {
        fields.set(key, String(field).trim());
        columns.add(key);
      }
    rows.push({ line, fields });
  });
  return { columns: [...columns], rows, troubles };
}

/** The first of the names that is a column, whatever its case. */
export const columnOf = (table: Table, names: readonly string[]): string | undefined =>
  names
    .map((name) => table.columns.find((c) => c.toLowerCase().replaceAll(/[\s-]+/g, '_') === name))
    .find((c) => c !== undefined);
