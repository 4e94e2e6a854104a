/** @file The report as text for people. */
import { describeBlocks } from '#src/oft/rules.ts';
import type { PlannedLayer } from '#src/oft/types.ts';
import type { Report } from './report.ts';

const number = (n: number): string => n.toLocaleString('en-US');

/** Columns padded to their widest cell; those of numbers to the right. */
function columns(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((r) => r[c]!.length)));
  return rows
    .map((r) =>
      r
        .map((cell, c) => (right.includes(c) ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join('\n');
}

function kindOf({ layer }: PlannedLayer): string {
  if (layer.kind === 'linear') return 'linear';
  return `conv ${layer.kernel.join('×')}${layer.groups > 1 ? ` /${layer.groups} groups` : ''}`;
}

/** What is known so far; a model that cannot be imported has only its head. */
export function printReport(report: Pick<Report, 'model' | 'dims'> & Partial<Report>): string {
  const { model, dims } = report;
  const out: string[] = [];
  const domains = Object.entries(model.domains).map(([d, v]) => `, ${d} ${v}`);
  out.push(`${model.file}${model.producer ? `, by ${model.producer}` : ''}`);
  out.push(
    `opset ${model.opset ?? '?'}${domains.join('')}; IR ${model.irVersion}; ${number(model.nodes)} nodes; ${number(model.parameters)} parameters`,
  );
  for (const [title, values] of [
    ['input ', report.inputs],
    ['output', report.outputs],
  ] as const)
    for (const v of values ?? []) out.push(`${title} ${v.name}: ${v.type} [${v.shape.join(', ')}]`);
  const bound = Object.entries(dims).map(
    ([n, d]) => `${n} = ${d.value}${d.from === 'assumed' ? ' (assumed)' : ''}`,
  );
  if (bound.length > 0) out.push(`sizes  ${bound.join(', ')}`);
  const { layers, left = [], problems = [], unsupported, placement } = report;
  if (layers) {
    const stored = layers.reduce((n, l) => n + l.stored, 0);
    const effective = layers.reduce((n, l) => n + l.effective, 0);
    out.push('', `${layers.length} of ${layers.length + left.length} layers adapted:`);
    if (layers.length > 0)
      out.push(
        columns(
          [
            ['layer', 'kind', 'in', 'out', 'rule', 'blocks', 'n × b', 'stored', 'effective'],
            ...layers.map((l) => [
              l.layer.path,
              kindOf(l),
              String(l.layer.in),
              String(l.layer.out),
              l.rule === null ? '–' : String(l.rule + 1),
              describeBlocks(l.blocks),
              `${l.count} × ${l.size}`,
              number(l.stored),
              number(l.effective),
            ]),
            ['total', '', '', '', '', '', '', number(stored), number(effective)],
          ],
          [2, 3, 7, 8],
        ),
      );
    if (left.length > 0) out.push(`  left as they are: ${left.join(', ')}`);
  }
  for (const p of problems) out.push(`${p.severity}: ${p.message}${p.cure ? ` ${p.cure}` : ''}`);
  if (unsupported) {
    out.push('', unsupported.length === 0 ? 'unsupported operators: none' : 'unsupported operators:');
    if (unsupported.length > 0)
      out.push(
        columns(
          unsupported.map((u) => [
            u.op,
            u.node,
            u.unknown ? 'unknown' : 'no gradient',
            u.gradient ? 'a gradient must pass it' : 'no gradient needs to pass it',
          ]),
          [],
        ),
      );
  }
  if (placement) {
    const { nodes, elsewhere } = placement;
    const on = nodes - elsewhere.length;
    out.push(
      `predicted WebGPU placement of a training step: ${number(on)} of ${number(nodes)} nodes on the GPU`,
    );
    if (elsewhere.length > 0)
      out.push(
        columns(
          elsewhere.map((n) => [n.op, n.node]),
          [],
        ),
      );
  }
  return out.join('\n');
}
