/** @file Order of nodes: every value before its use. */
import { type Attribute, ModelError, type Node } from '#src/onnx/model.ts';

/** Names that a node reads: its inputs, and what its subgraphs take from the graph around them. */
export function reads(node: Node): readonly string[] {
  let names: string[] | undefined;
  for (const a of Object.values(node.attributes)) {
    if (a.kind !== 'graph') continue;
    names ??= [...node.inputs];
    names.push(...captures(a));
  }
  return names ?? node.inputs;
}

/** The nodes that read each value, once each, in their order. */
export function readersOf(nodes: readonly Node[]): ReadonlyMap<string, readonly Node[]> {
  const readers = new Map<string, Node[]>();
  for (const node of nodes)
    for (const name of new Set(reads(node))) {
      const list = readers.get(name);
      if (list) list.push(node);
      else readers.set(name, [node]);
    }
  return readers;
}

function captures(attribute: Attribute & { kind: 'graph' }): Set<string> {
  const graph = attribute.value;
  const own = new Set([...graph.initializers.keys(), ...graph.inputs.map((v) => v.name)]);
  for (const node of graph.nodes) for (const o of node.outputs) own.add(o);
  const free = new Set<string>();
  for (const node of graph.nodes) for (const n of reads(node)) if (n !== '' && !own.has(n)) free.add(n);
  for (const o of graph.outputs) if (!own.has(o.name)) free.add(o.name);
  return free;
}

/**
 * The nodes in an order in which every value is produced before it is read; nodes that are in order already stay where they are.
 * @param known whether a name exists outside the list: inputs, initializers, outer values.
 * @throws ModelError for a value that nothing produces, one that two nodes produce, or a cycle.
 */
export function topological(nodes: readonly Node[], known: (name: string) => boolean): Node[] {
  const producer = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const o of node.outputs) {
      if (o === '') continue;
      if (producer.has(o))
        throw new ModelError(
          `Two nodes of the model produce the value ${o}. The file is damaged; export the model again.`,
        );
      producer.set(o, i);
    }
  });
  const waiting = new Int32Array(nodes.length);
  const readers: number[][] = nodes.map(() => []);
  nodes.forEach((node, i) => {
    for (const name of reads(node)) {
      if (name === '') continue;
      const p = producer.get(name);
      if (p !== undefined) {
        waiting[i]!++;
        readers[p]!.push(i);
      } else if (!known(name))
        throw new ModelError(
          `${describe(node)} reads "${name}", which nothing produces: it is no input, no stored weight and no node's output. The file is damaged; export the model again.`,
        );
    }
  });
  // Depth first from each node in turn keeps the file's order as far as it is valid.
  const order: Node[] = [];
  const placed = new Uint8Array(nodes.length);
  const ready: number[] = [];
  for (let i = 0; i < nodes.length; i++) {
    if (waiting[i] === 0 && !placed[i]) ready.push(i);
    while (ready.length > 0) {
      const k = ready.pop()!;
      if (placed[k]) continue;
      placed[k] = 1;
      order.push(nodes[k]!);
      for (const r of readers[k]!) if (--waiting[r]! === 0 && r < i) ready.push(r);
    }
  }
  if (order.length < nodes.length) {
    const stuck = nodes.find((_, i) => !placed[i])!;
    throw new ModelError(
      `The model's nodes form a cycle, for example at ${describe(stuck)}. The file is damaged; export the model again.`,
    );
  }
  return order;
}

/** Operator and name of a node, for messages. */
export const describe = (node: Node): string =>
  `${node.domain === '' ? '' : `${node.domain}::`}${node.op} ${node.name || node.outputs[0] || ''}`.trim();
