/** @file Rows of the preflight table: sorting, filtering, and which of them a scrolled window shows. */
import type { PreflightRow } from '#src/oft/preflight/preflight.ts';
import { describeLayer } from '../words/describe.ts';

export const columns = [
  'layer',
  'kind',
  'role',
  'rule',
  'blocks',
  'stored',
  'effective',
  'share',
  'state',
] as const;
export type Column = (typeof columns)[number];
export type Direction = 'ascending' | 'descending';

export interface Order {
  /** null: the order of the network. */
  readonly column: Column | null;
  readonly direction: Direction;
}

/** A press on a column's header: up, then down, then back to the order of the network. */
export function nextOrder(order: Order, column: Column): Order {
  if (order.column !== column) return { column, direction: 'ascending' };
  return order.direction === 'ascending'
    ? { column, direction: 'descending' }
    : { column: null, direction: 'ascending' };
}

export interface Filter {
  /** Found in the name, the kind or the role. */
  readonly text: string;
  readonly state: PreflightRow['state'] | 'all';
}

export interface Indexed {
  readonly row: PreflightRow;
  /** Place in the network. */
  readonly index: number;
  readonly role: string;
}

const states: readonly PreflightRow['state'][] = ['error', 'identity', 'adapted', 'skipped'];
const names = new Intl.Collator('en', { numeric: true });

function key({ row, role }: Indexed, column: Column): number | string {
  const { planned } = row;
  switch (column) {
    case 'layer':
      return row.layer.path;
    case 'kind':
      return describeLayer(row.layer);
    case 'role':
      return role;
    case 'rule':
      return row.rule ?? Infinity;
    case 'blocks':
      return planned?.size ?? -1;
    case 'stored':
    case 'share':
      return planned?.stored ?? -1;
    case 'effective':
      return planned?.effective ?? -1;
    case 'state':
      return states.indexOf(row.state);
  }
}

/** Rows that pass the filter, in order; ties stay in the order of the network. */
export function arrange(all: readonly Indexed[], filter: Filter, order: Order): readonly Indexed[] {
  const wanted = filter.text.trim().toLowerCase();
  const shown = all.filter(
    ({ row, role }) =>
      (filter.state === 'all' || row.state === filter.state) &&
      (wanted === '' ||
        row.layer.path.toLowerCase().includes(wanted) ||
        role.includes(wanted) ||
        describeLayer(row.layer).includes(wanted)),
  );
  const { column, direction } = order;
  if (column === null) return shown;
  const sign = direction === 'ascending' ? 1 : -1;
  const keyed = shown.map((each) => ({ each, key: key(each, column) }));
  keyed.sort((a, b) => {
    const by =
      typeof a.key === 'number' && typeof b.key === 'number'
        ? // Infinity − Infinity is not a number.
          a.key === b.key
          ? 0
          : a.key - b.key
        : names.compare(String(a.key), String(b.key));
    return sign * by || a.each.index - b.each.index;
  });
  return keyed.map(({ each }) => each);
}

/** Rows to draw for a scroll position, a few beyond either edge: from `first` up to, not including, `end`. */
export function visibleRows(
  total: number,
  view: { readonly top: number; readonly height: number; readonly row: number },
  beyond = 8,
): { readonly first: number; readonly end: number } {
  const first = Math.max(0, Math.floor(view.top / view.row) - beyond);
  const end = Math.min(total, Math.ceil((view.top + view.height) / view.row) + beyond);
  return { first: Math.min(first, end), end };
}

/** The row that a key leads to from row `at` of `total`; null where the key means nothing here. */
export function rowAfterKey(pressed: string, at: number, total: number, page: number): number | null {
  const to = {
    ArrowUp: at - 1,
    ArrowDown: at + 1,
    Home: 0,
    End: total - 1,
    PageUp: at - page,
    PageDown: at + page,
  }[pressed];
  return to === undefined || total === 0 ? null : Math.max(0, Math.min(total - 1, to));
}

/** Scroll position that brings a row wholly into a window below a header of the same height, moving as little as it can. */
export function scrollToRow(
  at: number,
  view: { readonly top: number; readonly height: number; readonly row: number },
): number {
  const start = at * view.row;
  if (start < view.top) return start;
  const room = view.height - view.row;
  return start + view.row > view.top + room ? start + view.row - room : view.top;
}
