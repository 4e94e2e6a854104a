/** @file What the debug view says, in words and figures: graph, placement, time and memory of the present or last run. */
import type { StepLog } from '#src/training/steps.ts';
import type { DebugFigures, Preparation, RoundedBase } from '#workers/protocol.ts';
import { bytes, count, percent } from '../words/format.ts';

export interface DebugTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface DebugSection {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly tables: readonly DebugTable[];
}

const seconds = (s: number): string =>
  s < 1 ? `${Number((s * 1000).toPrecision(3))} ms` : `${s < 10 ? s.toFixed(2) : s.toFixed(1)} s`;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const table = (title: string, columns: readonly string[], rows: DebugTable['rows']): DebugTable[] =>
  rows.length === 0 ? [] : [{ title, columns, rows }];

function graph({ step }: DebugFigures): DebugSection {
  if (!step) return { title: 'Graph', facts: [['Training step', 'none is compiled']], tables: [] };
  const { stages, operators } = step;
  return {
    title: 'Graph',
    facts: [
      ['Nodes', count(sum(stages.map(({ nodes }) => nodes)))],
      ['Stages', count(stages.length)],
      ['Kinds of operator', count(operators.length)],
    ],
    tables: [
      ...table(
        'Stages',
        ['Stage', 'Nodes', 'In', 'Out', 'Constants', 'Uploaded', 'Results at once'],
        stages.map(({ name, nodes, inputs, outputs, constants, activations }) => [
          name,
          count(nodes),
          count(inputs),
          count(outputs),
          `${count(constants.count)}, ${bytes(constants.bytes)}`,
          count(constants.uploaded),
          bytes(activations),
        ]),
      ),
      ...table(
        'Operators',
        ['Operator', 'Nodes'],
        operators.map(({ op, nodes }) => [op, count(nodes)]),
      ),
    ],
  };
}

function placement({ backend, placement: { nodes, elsewhere } }: DebugFigures): DebugSection {
  const groups = new Map<string, string[]>();
  for (const { op, device, reason, node } of elsewhere) {
    const key = JSON.stringify([op, device, reason]);
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  return {
    title: 'Placement',
    facts: [
      ['Backend', backend.kind],
      ['Why', backend.reason],
      ['Graphics', backend.adapter ?? 'none used'],
      ['Threads', count(backend.threads)],
      ['Nodes of the programs that stand', count(nodes)],
      ['Of these on another device', count(elsewhere.length)],
    ],
    tables: table(
      'On another device',
      ['Operator', 'Nodes', 'Device', 'Why'],
      [...groups].map(([key, names]) => {
        const [op = '', device = '', reason = ''] = JSON.parse(key) as string[];
        return [op, count(names.length), device, reason];
      }),
    ),
  };
}

/** Median, largest and last of the steps' times. */
function stepTimes(records: StepLog): [string, string][] {
  const times = records.column('ms').slice().sort();
  const last = records.at(-1);
  if (!last) return [['Steps', 'none yet']];
  return [
    ['Steps', count(records.length)],
    ['A step, median', seconds(times[times.length >> 1]! / 1000)],
    ['A step, longest', seconds(times.at(-1)! / 1000)],
    ['The last step', seconds(last.ms / 1000)],
  ];
}

function time({ timings }: DebugFigures, records: StepLog): DebugSection {
  const sections = Object.entries(timings).sort(([, a], [, b]) => b - a);
  return {
    title: 'Time',
    facts: stepTimes(records),
    tables: table(
      'Where it went',
      ['Section', 'Time'],
      sections.map(([name, spent]) => [name, seconds(spent)]),
    ),
  };
}

function memory({ step, measured }: DebugFigures, fit: Preparation['fit']): DebugSection {
  const estimated = step?.memory;
  const total = estimated && estimated.weights + estimated.state + estimated.activations;
  const { weights, state, heap } = measured;
  return {
    title: 'Memory',
    facts: fit ? [['Before the run', fit.words]] : [],
    tables: table(
      'Estimated and measured',
      ['Of', 'Estimated', 'Measured'],
      [
        ['Weights', estimated ? bytes(estimated.weights) : '–', bytes(weights)],
        ['State', estimated ? bytes(estimated.state) : '–', bytes(state)],
        ['Results', estimated ? bytes(estimated.activations) : '–', '–'],
        ['In all', total === undefined ? '–' : bytes(total), bytes(weights + state)],
        ['WebAssembly heap', '–', heap === null ? 'not known' : bytes(heap)],
      ],
    ),
  };
}

/** What is held in fewer bits. */
function rounding(base: RoundedBase): DebugSection {
  const { bits, before, after, weights, left, outputs } = base;
  return {
    title: 'Rounded weights',
    facts: [
      ['Bits', count(bits)],
      ['Bytes', `${bytes(after)}, in single precision ${bytes(before)}`],
      ['Outputs of the untouched model off by', outputs === null ? 'not measured' : percent(outputs)],
    ],
    tables: [
      ...table(
        'Weights',
        ['Weight', 'Block', 'Bytes', 'Off by'],
        weights.map(({ name, block, after: held, error }) => [
          name,
          count(block),
          bytes(held),
          percent(error),
        ]),
      ),
      ...table(
        'As they are',
        ['Weight', 'Bytes', 'Why'],
        left.map(({ name, bytes: size, reason }) => [name, bytes(size), reason]),
      ),
    ],
  };
}

/** What was found out before the run; nothing where nothing was. */
type Before = Partial<Pick<Preparation, 'fit' | 'rounded'>>;

export const debugSections = (
  figures: DebugFigures,
  records: StepLog,
  { fit = null, rounded }: Before,
): readonly DebugSection[] => [
  ...[graph(figures), placement(figures), time(figures, records), memory(figures, fit)],
  ...(rounded ? [rounding(rounded)] : []),
];

/** All of it as plain text, to be copied. */
export const debugText = (sections: readonly DebugSection[]): string =>
  sections
    .flatMap(({ title, facts, tables }) => [
      `— ${title}`,
      ...facts.map(([name, value]) => `${name}: ${value}`),
      ...tables.flatMap((t) => ['', t.title, t.columns.join('\t'), ...t.rows.map((row) => row.join('\t'))]),
      '',
    ])
    .join('\n');
