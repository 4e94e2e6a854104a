/** @file The report as text for people. */
import { printPlan } from '#src/formats/plans/printPlan.ts';
import type { ToolVerdict } from '#src/oft/modules/types.ts';
import { describeBlocks } from '#src/oft/plan/rules.ts';
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

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** What differs from a plain Diag-OFT on the output side. */
function settingsOf(p: PlannedLayer): string {
  const words: string[] = [];
  if (p.algorithm === 'boft') words.push('BOFT');
  if (p.side === 'input') words.push('input side');
  if (p.share) words.push('shared');
  if (p.neumannTerms !== null) words.push(`${p.neumannTerms} terms`);
  if (p.constraint > 0) words.push(`constraint ${p.constraint} (${p.clamp})`);
  if (p.rescale) words.push('rescale');
  if (p.moduleDropout > 0) words.push(`module dropout ${p.moduleDropout}`);
  if (p.rankDropout > 0) words.push(`rank dropout ${p.rankDropout}`);
  if (p.lrScale !== 1) words.push(`lr × ${p.lrScale}`);
  return words.join(', ');
}

const cuts = ({ count, size, stages }: PlannedLayer): string =>
  `${stages > 1 ? `${stages} × ` : ''}${count} × ${size}`;

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
  const {
    layers,
    left = [],
    others = [],
    totals,
    problems = [],
    tools,
    roots = [],
    budget,
    unsupported,
    placement,
  } = report;
  if (layers && totals) {
    out.push('', `${layers.length} of ${layers.length + left.length} layers adapted:`);
    if (layers.length > 0) out.push(layerTable(layers, totals));
    if (left.length > 0) out.push(`  left as they are: ${left.join(', ')}`);
    for (const { op, node, reason } of others) out.push(`  no layer: ${op} ${node}: ${reason}`);
    if (totals.base > 0 && totals.stored > 0)
      out.push(
        `${number(totals.stored)} numbers stored, ${number(totals.effective)} of them free to turn: ${percent(totals.stored / totals.base)} of the layers' ${number(totals.base)} weights;` +
          ` LoRA of rank ${totals.lora.rank} on the same layers stores ${number(totals.lora.numbers)}, ${(totals.lora.numbers / totals.stored).toFixed(2)} times as many`,
      );
  }
  for (const { part, root, layers: n } of roots)
    out.push(
      `names: ${part ? `in ${part}, ` : ''}"${root}." stands before the names of ${n} ${n === 1 ? 'layer' : 'layers'}; adapter files leave it out (set root to change that)`,
    );
  for (const p of problems) out.push(`${p.severity}: ${p.message}${p.cure ? ` ${p.cure}` : ''}`);
  if (budget) out.push('', ...printBudget(budget));
  if (tools && layers && layers.length > 0) out.push('', 'what loads the adapter:', toolTable(tools));
  if (unsupported) {
    out.push('', unsupported.length === 0 ? 'unsupported operators: none' : 'unsupported operators:');
    if (unsupported.length > 0)
      out.push(
        columns(
          unsupported.map((u) => [
            u.op,
            u.node,
            u.unknown ? 'not taken' : 'no gradient',
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

function layerTable(layers: Report['layers'], totals: Report['totals']): string {
  const rows = layers.map(({ planned: l, share, state }) => [
    l.layer.path,
    kindOf(l),
    String(l.layer.in),
    String(l.layer.out),
    l.rule === null ? '–' : String(l.rule + 1),
    describeBlocks(l.blocks),
    cuts(l),
    number(l.stored),
    number(l.effective),
    percent(share),
    [state === 'identity' ? 'cannot turn' : '', settingsOf(l)].filter(Boolean).join(', '),
  ]);
  const head = ['layer', 'kind', 'in', 'out', 'rule', 'blocks', 'n × b', 'stored', 'effective', 'share'];
  const total = ['total', '', '', '', '', '', '', number(totals.stored), number(totals.effective), ''];
  return columns([[...head, 'settings'], ...rows, [...total, '']], [2, 3, 7, 8, 9]);
}

const verdicts: Record<ToolVerdict['verdict'], string> = {
  loads: 'loads',
  loss: 'loads with a loss',
  no: 'does not load',
};

function toolTable(tools: readonly ToolVerdict[]): string {
  return columns(
    tools.map((t) => [
      t.tool,
      t.found < t.of && t.found > 0
        ? `${verdicts[t.verdict]} (${t.found} of ${t.of} layers)`
        : verdicts[t.verdict],
      t.format ? `save as ${t.format}` : '',
      [
        ...t.losses,
        ...(t.names ? [t.names] : []),
        ...(t.change ? [`To load it whole: ${t.change}`] : []),
      ].join(' '),
    ]),
    [],
  );
}

function printBudget({ asked, proposal }: NonNullable<Report['budget']>): string[] {
  if (!proposal) return [`budget ${number(asked)}: no setting of this plan stores so few numbers`];
  const plan = printPlan(proposal.plan).trimEnd();
  return [
    `budget ${number(asked)}: ${proposal.words} (${number(proposal.stored)} numbers)`,
    ...plan.split('\n').map((line) => (line === '' ? '' : `  ${line}`)),
  ];
}
