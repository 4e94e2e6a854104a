/**
 * @file What benches measured, kept in docs/performance.json, and shown in docs/performance.md between the marks of each part. What stands around the marks is
 * written by people.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import * as ort from 'onnxruntime-web';
import { format, resolveConfig } from 'prettier';

const JSON_FILE = 'docs/performance.json';
const PAGE = 'docs/performance.md';

/** Where and with what a part was measured. */
export interface Where {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Processes that wanted a core, on average over the last minute, at the end: above 1, others were at work, too. */
  readonly load: number;
}

export const here = (versions: Readonly<Record<string, string>> = {}): Where => ({
  machine: `${cpus()[0]?.model.trim() ?? 'an unknown processor'}, ${cpus().length} cores`,
  versions: {
    node: process.versions.node,
    'onnxruntime-web': ort.env.versions.web ?? 'unknown',
    ...versions,
  },
  load: Number((loadavg()[0] ?? 0).toFixed(1)),
});

const whereLine = ({ machine, versions, load }: Where): string =>
  `${machine}; ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}; load ${load} at the end.`;

/** A Markdown table. Cells are texts. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, i) => (i === 0 ? '---' : '--:')), ...rows]
    .map((r) => `| ${r.join(' | ')} |`)
    .join('\n');

/** A page with what stands between the marks of a part replaced; a part that is new is put at the end. */
export function withPart(page: string, part: string, text: string): string {
  const [begin, end] = [`<!-- measured: ${part} -->`, `<!-- end: ${part} -->`];
  const whole = `${begin}\n\n${text}\n\n${end}`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${whole}\n`;
  return page.slice(0, from) + whole + page.slice(to + end.length);
}

const written = async (path: string, text: string): Promise<void> => {
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
};

/**
 * Keeps what one bench measured, and prints and shows it.
 * @param data as JSON, beside where it was measured
 * @param text Markdown
 */
export async function record(part: string, where: Where, data: unknown, text: string): Promise<void> {
  const shown = `${text}\n\n${whereLine(where)}`;
  console.log(shown);
  const all = existsSync(JSON_FILE)
    ? (JSON.parse(readFileSync(JSON_FILE, 'utf8')) as Record<string, unknown>)
    : {};
  all[part] = { ...where, measured: data };
  await written(JSON_FILE, JSON.stringify(all));
  await written(PAGE, withPart(readFileSync(PAGE, 'utf8'), part, shown));
}
