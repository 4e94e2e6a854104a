/** @file Which table an input's numbers pick rows from, and how many rows it has: embeddings of words, positions, types. */
import { intAttr } from '#src/graph/attributes.ts';
import type { Graph } from '#src/graph/types.ts';

export interface Table {
  readonly name: string;
  /** Numbers from 0 to one fewer pick something. */
  readonly rows: number;
}

/** What changes where numbers stand, or their type, and no number. */
const CARRIES: ReadonlySet<string> = new Set([
  ...['Cast', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Transpose', 'Expand', 'Tile'],
]);
const PICKS: Readonly<Record<string, string>> = { Gather: 'axis', GatherBlockQuantized: 'gather_axis' };

/**
 * The smallest of the tables of weights that the input's numbers pick rows from as they are; null: there is none, or the graph makes other numbers of them
 * first.
 *
 * @param input name of the graph's input
 */
export function tableOf(graph: Graph, input: string): Table | null {
  const carried = new Set([input]);
  /** Weights, and what is made of weights alone, such as a table that was quantised. */
  const fixed = new Set(graph.constants.keys());
  let found: Table | null = null;
  for (const node of graph.nodes) {
    const given = node.inputs.filter((name) => name !== '');
    if (given.every((name) => fixed.has(name))) for (const name of node.outputs) fixed.add(name);
    else if (CARRIES.has(node.op) && carried.has(node.inputs[0]!)) carried.add(node.outputs[0]!);
    const [name = '', numbers = ''] = node.inputs;
    const key = PICKS[node.op];
    const shape = graph.values.get(name)?.shape;
    if (key === undefined || !shape || !fixed.has(name) || !carried.has(numbers)) continue;
    const axis = intAttr(node, key, 0);
    const rows = shape.at(axis) ?? 0;
    if (!found || rows < found.rows) found = { name, rows };
  }
  return found;
}
