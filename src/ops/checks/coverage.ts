/** @file docs/operators.md, written from the table: what each operator has. */
import type { DType, Node } from '#src/onnx/model.ts';
import { newestOpset, oldestOpset } from '../import/opsets.ts';
import { typesTaken } from '../lowering/kernelTypes.ts';
import { integerOperators } from '../integers/floatForm.ts';
import { sequenceOperators } from '../shapes/sequences.ts';
import { builder, operators } from '../table.ts';
import type { Operator } from '../types.ts';

/** Why an operator stays on the CPU beside WebGPU. The page can't be written without a reason for each. */
const onTheCpu: Readonly<Record<string, string>> = {
  BitShift: 'no kernel; only on integers, where no gradient passes',
  BitwiseAnd: 'as BitShift',
  BitwiseNot: 'as BitShift',
  BitwiseOr: 'as BitShift',
  BitwiseXor: 'as BitShift',
  BlackmanWindow: 'as HannWindow',
  ConstantOfShape: 'folded before the run: its shape is constant once the dimensions are bound',
  Dropout: 'left out at import',
  DynamicQuantizeLinear: 'no kernel',
  EyeLike: 'folded before the run',
  HammingWindow: 'as HannWindow',
  HannWindow: 'folded before the run: its size is constant',
  IsInf: 'as IsNaN',
  IsNaN: 'no kernel, and shader compilers may take x = x for true, so that a comparison would not find a NaN',
  MelWeightMatrix: 'folded before the run: of constants',
  Mod: 'for floats, since a − trunc(a/b)·b would not be exact; on int32 it is lowered',
  NonZero: 'folded before the run: only of constants',
  QuantizeLinear: 'no kernel',
};

/** Handled by the import itself, without an entry. */
const byTheImport: readonly (readonly [string, string])[] = [
  [
    'If',
    'the branch that its condition takes, which must be constant once the dimensions are bound, is written out',
  ],
  ['Identity, Dropout', 'left out'],
  [
    Object.keys(sequenceOperators).sort().join(', '),
    'become Split, Reshape and Concat; positions must be constant',
  ],
  ['Upsample, Scatter', 'withdrawn since: become a Resize and a ScatterElements'],
  [
    [...integerOperators]
      .map((key) => key.replace('::', ' '))
      .sort()
      .join(', '),
    'whole numbers: become the float operators of the real numbers that they stand for, with weights behind DequantizeLinear, activations clipped to their range and not rounded',
  ],
  [
    'QuantizeLinear, DynamicQuantizeLinear of activations',
    'the same: rounding is dropped, or kept with straight-through gradients (`rounding = "keep"`)',
  ],
  ['local functions', 'are inlined, nested ones too'],
];

/** What the first operand is where it is no float. */
const mainTypes: Readonly<Record<string, DType>> = { Or: 'bool', Xor: 'bool', DequantizeLinear: 'int8' };

type Placement = 'GPU' | 'GPU, some forms lowered' | 'lowered' | 'CPU, some forms lowered' | 'CPU';

/** Where a plain node of the operator runs: four-axis operands of a type that it takes, no attributes. */
function placement(key: string, entry: Operator): Placement {
  const g = builder();
  const type = mainTypes[key] ?? typesTaken(key)?.[0] ?? 'float32';
  const values = Array.from({ length: 4 }, (_, i) => g.input(`x${i}`, type, [1, 1, 1, 1]));
  const node: Node = {
    op: key,
    domain: '',
    name: key,
    inputs: values.map((v) => v.name),
    outputs: ['y'],
    attributes: {},
  };
  const kernel = entry.webgpu?.(node, values, values.slice(0, 1)) ?? true;
  if (kernel) return entry.lower ? 'GPU, some forms lowered' : 'GPU';
  if (!entry.lower) return 'CPU';
  try {
    return entry.lower(g, node, values) ? 'lowered' : 'CPU, some forms lowered';
  } catch {
    // Its arguments must be constants: it is lowered where they are.
    return 'lowered';
  }
}

const gradientOf = (entry: Operator): string =>
  entry.grad === 'none' ? 'none by nature' : entry.grad || entry.expand ? 'yes' : 'an error';

function row(key: string, entry: Operator): string {
  const name = key.replace(/^.*::/, '');
  const written = entry.expand !== undefined;
  const webgpu = written ? 'by its parts' : placement(key, entry);
  const gradient = written && entry.grad !== 'none' ? 'by its parts' : gradientOf(entry);
  const notes = [
    ...(written ? ['written out at import'] : []),
    ...(entry.convert ? ['older forms converted'] : []),
    ...(entry.fold ? ['folded on constants'] : []),
  ];
  return `| ${name} | yes | ${gradient} | ${webgpu} | ${notes.join(', ')} |`;
}

const heading = ['| Operator | Shape | Gradient | WebGPU | How |', '| --- | --- | --- | --- | --- |'];

/** The page's text. Throws where an operator stays on the CPU and no reason is given. */
export function coveragePage(): string {
  const all = Object.entries(operators)
    .filter(([key]) => !['Upsample', 'Scatter'].includes(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const taken = all.filter(([, o]) => !o.refused);
  const of = (domain: string): [string, Operator][] =>
    taken.filter(([key]) => (key.includes('::') ? key.startsWith(`${domain}::`) : domain === ''));
  const table = (domain: string): string[] => [...heading, ...of(domain).map(([key, o]) => row(key, o)), ''];
  const cpu = of('')
    .filter(([key, o]) => !o.expand && placement(key, o).startsWith('CPU'))
    .map(([key]) => {
      const reason = onTheCpu[key];
      if (!reason) throw new Error(`${key} stays on the CPU; coverage.ts gives no reason.`);
      return `- ${key}: ${reason}.`;
    });
  const reasons = new Map<string, string[]>();
  for (const [key, { refused }] of all)
    if (refused) reasons.set(refused, [...(reasons.get(refused) ?? []), key.replace('::', ' ')]);
  const natural = taken.filter(([, o]) => o.grad === 'none').map(([key]) => key.replace('::', ' '));
  const missing = taken
    .filter(([, o]) => gradientOf(o) === 'an error')
    .map(([key]) => key.replace('::', ' '));
  return [
    '# Operators',
    '',
    'Written by `npm run operators` from the table in the code (`src/ops/table.ts`); a test fails where the two differ.',
    '',
    `Models of opsets ${oldestOpset} to ${newestOpset} are read and converted to opset 21, with every dimension bound. ` +
      `${taken.length} operators have an entry; anything else is refused by name. What the columns say:`,
    '',
    '- **Gradient**: *yes*: a rule of its own. *By its parts*: the import writes the operator out in others, and theirs hold. *None by nature*: it is constant',
    '  almost everywhere, or works on integers or booleans; the backward pass stops there without an error.',
    '- **WebGPU**: *GPU*: ONNX Runtime has a kernel for the element types listed below. *Lowered*: replaced by operators that have one. *CPU*: see the list.',
    '',
    '## Standard domain',
    '',
    ...table(''),
    '## com.microsoft',
    '',
    ...table('com.microsoft'),
    '## ai.onnx.ml',
    '',
    ...table('ai.onnx.ml'),
    '## Handled by the import',
    '',
    ...byTheImport.map(([what, how]) => `- ${what}: ${how}.`),
    '',
    '## No gradient by nature',
    '',
    `${natural.join(', ')}.`,
    '',
    ...(missing.length > 0
      ? [
          '## No gradient: an error where one must pass',
          '',
          `${missing.join(', ')}: rounded activations.`,
          '',
        ]
      : []),
    '## On the CPU beside WebGPU',
    '',
    ...cpu,
    '- int64 and float64 data: no kernel takes them. Integer inputs of a model are taken as int32; constant indices may be int64.',
    '',
    'Kernels take float32 and float16. Those of these operators take more; booleans and bytes go through int32 where they do not:',
    '',
    ...extraTypes(),
    '',
    '## Refused by name',
    '',
    ...[...reasons].map(([reason, names]) => `- ${names.join(', ')}: ${reason}`),
    '',
  ].join('\n');
}

/** Operators by the further element types that their kernels take. */
function extraTypes(): string[] {
  const byTypes = new Map<string, string[]>();
  for (const key of Object.keys(operators).sort()) {
    const types = typesTaken(key)?.filter((t) => !t.startsWith('float'));
    if (!types?.length) continue;
    const names = types.join(', ');
    byTypes.set(names, [...(byTypes.get(names) ?? []), key]);
  }
  return [...byTypes].map(([types, names]) => `- ${types}: ${names.join(', ')}.`);
}
