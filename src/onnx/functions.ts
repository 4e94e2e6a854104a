/** @file Model-local functions, written out where they are called. */
import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from 'onnx-buf';
import { ModelError } from './model.ts';

const keyOf = (domain: string, name: string, overload: string): string =>
  `${domain === 'ai.onnx' ? '' : domain}::${name}::${overload}`;

/** On nodes of a function: the version of the standard operators that they are written in. */
const VERSION = Symbol('version');
type Versioned = NodeProto & { readonly [VERSION]?: number };

/** The version that a node of a function is written in; undefined: the model's. */
export const versionOf = (node: NodeProto): number | undefined => (node as Versioned)[VERSION];

const withVersion = (node: NodeProto, version: number | undefined): NodeProto =>
  version === undefined ? node : copyWith<Versioned>(node, { [VERSION]: version });

/** A copy of a message with some fields changed. Unset fields have their defaults in the prototype, which a spread would lose. */
export const copyWith = <T extends object>(message: T, changes: Partial<T>): T =>
  Object.assign(Object.create(Object.getPrototypeOf(message) as object) as T, message, changes);

/**
 * The nodes with every call of a local function replaced by its body; bodies may call further functions. Names inside a body get
 * the calling node's name as a prefix, and its nodes the function's own version of the standard operators (see {@link versionOf}).
 * @throws ModelError for functions that call themselves.
 */
export function inlineFunctions(
  nodes: readonly NodeProto[],
  functions: readonly FunctionProto[],
): NodeProto[] {
  const table = new Map(functions.map((f) => [keyOf(f.domain, f.name, f.overload), f]));
  let calls = 0;

  const expand = (list: readonly NodeProto[], active: ReadonlySet<FunctionProto>): NodeProto[] =>
    list.flatMap((node) => {
      const f = table.get(keyOf(node.domain, node.opType, node.overload));
      if (!f) return [withGraphs(node, (g) => copyWith(g, { node: expand(g.node, active) }))];
      if (active.has(f))
        throw new ModelError(`The model's function ${f.name} calls itself. Export the model again.`);
      return expand(body(f, node, `${node.name || f.name}/${calls++}/`), new Set([...active, f]));
    });
  return expand(nodes, new Set());
}

/** The function's nodes with formal names replaced by the call's, and referenced attributes by the call's or the defaults. */
function body(f: FunctionProto, call: NodeProto, prefix: string): NodeProto[] {
  const names = new Map<string, string>();
  f.input.forEach((formal, i) => names.set(formal, call.input[i] ?? ''));
  f.output.forEach((formal, i) => names.set(formal, call.output[i] || `${prefix}${formal}`));
  const given = new Map<string, AttributeProto>();
  for (const a of [...f.attributeProto, ...call.attribute]) given.set(a.name, a);
  const standard = f.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  const version = standard && Number(standard.version);
  return f.node.map((node) => rename(node, { prefix, names, given, version }));
}

/** What a call makes of a function's body. */
interface Call {
  readonly prefix: string;
  readonly names: ReadonlyMap<string, string>;
  readonly given: ReadonlyMap<string, AttributeProto>;
  readonly version: number | undefined;
}

function rename(node: NodeProto, call: Call): NodeProto {
  const { prefix, names, given, version } = call;
  const to = (name: string): string => (name === '' ? '' : (names.get(name) ?? prefix + name));
  const attribute = node.attribute.flatMap((a) => {
    if (a.refAttrName === '') return [a];
    const source = given.get(a.refAttrName);
    return source ? [copyWith(source, { name: a.name })] : [];
  });
  const renamed = copyWith(withVersion(node, version), {
    name: prefix + node.name,
    input: node.input.map(to),
    output: node.output.map(to),
    attribute,
  });
  const named = <T extends { name: string }>(items: readonly T[]): T[] =>
    items.map((item) => copyWith<T>(item, { name: to(item.name) } as Partial<T>));
  return withGraphs(renamed, (g) =>
    copyWith(g, {
      initializer: named(g.initializer),
      input: named(g.input),
      output: named(g.output),
      node: g.node.map((n) => rename(n, call)),
    }),
  );
}

/** The node with each subgraph attribute mapped. */
function withGraphs(node: NodeProto, map: (graph: GraphProto) => GraphProto): NodeProto {
  if (!node.attribute.some((a) => a.g)) return node;
  return copyWith(node, {
    attribute: node.attribute.map((a) => (a.g ? copyWith(a, { g: map(a.g) }) : a)),
  });
}
