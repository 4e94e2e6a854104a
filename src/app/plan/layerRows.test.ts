/** @file Sorting, filtering and the window of the preflight table. */
import { describe, expect, it } from 'vitest';
import { preflight } from '#src/oft/preflight/preflight.ts';
import { arrange, nextOrder, rowAfterKey, scrollToRow, visibleRows, type Indexed } from './layerRows.ts';
import { fakeJob } from '#src/formats/testing/fakeJob.ts';
import { fakeLayers, manyLayers } from '../testing/fakeLayers.ts';

const rows: Indexed[] = preflight(
  fakeLayers,
  { ...fakeJob.plan, rules: [{ match: { kind: 'conv' }, skip: true }] },
  { loraRank: 16 },
).rows.map((row, index) => ({ row, index, role: index % 2 ? 'query' : 'key' }));
const all = { text: '', state: 'all' } as const;
const network = { column: null, direction: 'ascending' } as const;
const paths = (list: readonly Indexed[]) => list.map(({ row }) => row.layer.path);

describe('arrange', () => {
  it('keeps the order of the network until a column is pressed', () => {
    expect(paths(arrange(rows, all, network))).toEqual(fakeLayers.map(({ path }) => path));
  });

  it('sorts numbers as numbers, names with their figures, ties by place', () => {
    const stored = arrange(rows, all, { column: 'stored', direction: 'descending' }).map(
      ({ row }) => row.planned?.stored ?? -1,
    );
    expect(stored).toEqual(stored.toSorted((a, b) => b - a));
    const names = paths(arrange(rows, all, { column: 'layer', direction: 'ascending' }));
    expect(names.indexOf('down_blocks.2.resnets.0.conv1')).toBeGreaterThan(
      names.indexOf('down_blocks.0.resnets.0.conv1'),
    );
    const byRule = arrange(rows, all, { column: 'rule', direction: 'ascending' });
    const first = byRule.filter(({ row }) => row.rule === 0);
    expect(byRule.slice(0, first.length)).toEqual(first);
    expect(first.map(({ index }) => index)).toEqual(
      first.map(({ index }) => index).toSorted((a, b) => a - b),
    );
  });

  it('finds by name, kind and state', () => {
    expect(paths(arrange(rows, { ...all, text: ' CONV_IN' }, network))).toEqual(['conv_in']);
    const skipped = arrange(rows, { text: '', state: 'skipped' }, network);
    expect(skipped.length).toBeGreaterThan(5);
    expect(skipped.every(({ row }) => row.layer.kind === 'conv')).toBe(true);
    expect(arrange(rows, { text: 'conv 3×3', state: 'adapted' }, network)).toEqual([]);
  });
});

it('goes up, down, and back to the order of the network', () => {
  const up = nextOrder(network, 'stored');
  const down = nextOrder(up, 'stored');
  expect([up.direction, down.direction, nextOrder(down, 'stored').column]).toEqual([
    'ascending',
    'descending',
    null,
  ]);
  expect(nextOrder(down, 'layer')).toEqual({ column: 'layer', direction: 'ascending' });
});

describe('the window', () => {
  const view = (top: number) => ({ top, height: 340, row: 34 });

  it('draws what can be seen of thousands of rows, and no more', () => {
    const total = manyLayers(5000).length;
    expect(visibleRows(total, view(0), 2)).toEqual({ first: 0, end: 12 });
    expect(visibleRows(total, view(34_000), 2)).toEqual({ first: 998, end: 1012 });
    expect(visibleRows(5, view(0))).toEqual({ first: 0, end: 5 });
    // A filter shortened the list under a scrolled window.
    expect(visibleRows(5, view(34_000))).toEqual({ first: 5, end: 5 });
  });

  it('follows the keys to the ends and no further', () => {
    const keys = ['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End', 'x'];
    expect(keys.map((key) => rowAfterKey(key, 3, 20, 9))).toEqual([4, 2, 12, 0, 0, 19, null]);
    expect(rowAfterKey('End', 0, 0, 9)).toBeNull();
  });

  it('scrolls just as far as needed, the header’s height spared', () => {
    expect(scrollToRow(3, view(0))).toBe(0);
    expect(scrollToRow(9, view(0))).toBe(34);
    expect(scrollToRow(2, view(340))).toBe(68);
  });
});
