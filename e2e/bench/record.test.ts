import { expect, it } from 'vitest';
import { kernelsOf } from './kernelEvents.ts';
import { table, withPart } from './record.ts';
import { ratioOf, spreadOf } from './timing.ts';

it('puts what was measured between its marks, and leaves what people wrote', () => {
  const page = 'Before\n\n<!-- measured: a -->\n\nold\n\n<!-- end: a -->\n\nAfter\n';
  expect(withPart(page, 'a', 'new')).toBe(page.replace('old', 'new'));
  expect(withPart(withPart(page, 'b', 'one'), 'b', 'two')).toBe(
    `${page}\n<!-- measured: b -->\n\ntwo\n\n<!-- end: b -->\n`,
  );
  expect(table(['A', 'B'], [['x', '1']])).toBe('| A | B |\n| --- | --: |\n| x | 1 |');
});

it('tells the median and the middle half, and ratios round by round', () => {
  expect(spreadOf([4, 1, 3, 2, 100])).toEqual({ least: 1, median: 3, low: 2, high: 4 });
  // A slow spell doubles both.
  expect(ratioOf([20, 40, 22], [10, 20, 10])).toEqual({ least: 2, median: 2, low: 2, high: 2.2 });
});

it('counts each kernel with the least of its rounds', () => {
  const event = (index: string, dur: number): string =>
    `${JSON.stringify({ cat: 'Node', name: `n${index}_kernel_time`, dur, args: { op_name: 'Conv', node_index: index } })},`;
  expect(kernelsOf(['[', event('1', 900), event('2', 50), event('1', 700), ']'].join('\n'))).toEqual([
    { op: 'Conv', node: 'n1', ms: 0.7 },
    { op: 'Conv', node: 'n2', ms: 0.05 },
  ]);
});
