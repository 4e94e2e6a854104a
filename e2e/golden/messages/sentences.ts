/** @file Every sentence by which the code refuses something: what it says, of which class, and whether a way out comes with it. */
import ts from 'typescript';
import {
  type Classes,
  classesOf,
  constantsOf,
  importsOf,
  placeOf,
  type Source,
  textsOf,
  walk,
} from './syntax.ts';

export interface Said {
  readonly where: string;
  /** What is put in when it runs is "…". */
  readonly text: string;
  /** Class of the error; 'problem': an object that travels as data. */
  readonly kind: string;
  /** A way out of its own goes with it, or its class has a standing one. */
  readonly cured: boolean;
}

const property = (node: ts.ObjectLiteralExpression, key: string): ts.Expression | undefined => {
  for (const p of node.properties) {
    if (p.name === undefined || !ts.isIdentifier(p.name) || p.name.text !== key) continue;
    if (ts.isPropertyAssignment(p)) return p.initializer;
    if (ts.isShorthandPropertyAssignment(p)) return p.name;
  }
  return undefined;
};

/** What is only said, and stops nothing: `{ kind: 'warning', problem: … }`. */
function isWarning(node: ts.Node): boolean {
  for (let at = node.parent; !ts.isSourceFile(at) && !ts.isFunctionLike(at); at = at.parent) {
    if (ts.isObjectLiteralExpression(at) && property(at, 'kind')?.getText() === "'warning'") return true;
  }
  return false;
}

/** A refusal as it is written: the expression of its message, and whether a cure stands beside it. */
interface Written {
  readonly node: ts.Node;
  readonly message: ts.Expression;
  readonly kind: string;
  readonly cured: boolean;
}

function written(node: ts.Node, classes: Classes): Written | null {
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression)) {
    const kind = node.expression.text;
    if (!classes.plain.has(kind)) return null;
    const args = node.arguments ?? [];
    // A code stands before the message in two classes.
    const message = args.find((a) => !(ts.isStringLiteral(a) && /^[\w-]+$/.test(a.text)));
    if (!message || ts.isSpreadElement(message)) return null;
    // A problem's own message, where an error carries one.
    if (ts.isObjectLiteralExpression(message)) return null;
    const cured =
      classes.cured.has(kind) ||
      args.some((a) => ts.isObjectLiteralExpression(a) && property(a, 'cure') !== undefined);
    return { node, message, kind, cured };
  }
  if (ts.isObjectLiteralExpression(node)) {
    const message = property(node, 'message');
    if (!message || isWarning(node)) return null;
    const severity = property(node, 'severity');
    const code = property(node, 'code');
    const refusing = severity === undefined ? code !== undefined : !/^'warning'/.test(severity.getText());
    if (!refusing) return null;
    // `...(cure && { cure })` is how a helper passes on what it was given.
    const cured = property(node, 'cure') !== undefined;
    return { node, message, kind: 'problem', cured };
  }
  return null;
}

interface Maker {
  readonly kind: string;
  readonly cured: boolean;
  readonly texts: readonly string[];
  readonly parameters: readonly string[];
}

const nameOf = (node: ts.Node): string | undefined =>
  ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)
    ? node.name && ts.isIdentifier(node.name)
      ? node.name.text
      : undefined
    : ts.isArrowFunction(node) && ts.isVariableDeclaration(node.parent) && ts.isIdentifier(node.parent.name)
      ? node.parent.name.text
      : undefined;

const isFunction = (
  node: ts.Node,
): node is ts.FunctionDeclaration | ts.ArrowFunction | ts.MethodDeclaration =>
  ts.isFunctionDeclaration(node) || ts.isArrowFunction(node) || ts.isMethodDeclaration(node);

/** Parameters of the functions around a node, from the inside, and the name by which that which has any of them in its message is called. */
function around(node: ts.Node): { name: string; parameters: string[] }[] {
  const found: { name: string; parameters: string[] }[] = [];
  for (let at: ts.Node = node.parent; !ts.isSourceFile(at); at = at.parent) {
    if (!isFunction(at)) continue;
    const name = nameOf(at);
    if (name === undefined) continue;
    const parameters = at.parameters.map((p) => (ts.isIdentifier(p.name) ? p.name.text : ''));
    found.push({ name, parameters });
  }
  return found;
}

/** Functions that are handed about, by the names of an interface: those that take a message say it to people. */
function tellers(all: readonly Source[]): ReadonlyMap<string, Maker[]> {
  const found = new Map<string, Maker[]>();
  for (const { tree } of all)
    walk(tree, (node) => {
      const signature = ts.isMethodSignature(node)
        ? node
        : ts.isPropertySignature(node) && node.type && ts.isFunctionTypeNode(node.type)
          ? node.type
          : null;
      if (!signature || !(ts.isMethodSignature(node) || ts.isPropertySignature(node))) return;
      const parameters = signature.parameters.map((p) => p.name.getText(tree));
      const at = parameters.indexOf('message');
      if (at >= 0)
        found.set(node.name.getText(tree), [
          { kind: 'problem', cured: false, texts: [`\uE000${at}\uE000`], parameters },
        ]);
    });
  return found;
}

const open = (text: string): boolean => text.includes('\uE000');
const closed = (text: string): string => text.replaceAll(/\uE000\d+\uE000/g, '…');

/** All refusals in the code, those of helpers with what their callers say. */
export function refusals(all: readonly Source[]): Said[] {
  const classes = classesOf(all);
  const ownConstants = new Map(all.map((source) => [source, constantsOf(source)]));
  const everywhere = new Map(
    all.flatMap((source) =>
      [...ownConstants.get(source)!].map(([name, text]) => [`${source.path}#${name}`, text] as const),
    ),
  );
  const imports = new Map(all.map((source) => [source, importsOf(source)]));
  /** Constants that a file sees: its own, and those that it imports. */
  const knownTo = (source: Source): ReadonlyMap<string, ts.Expression> =>
    new Map([
      ...[...imports.get(source)!].flatMap(([name, from]) => {
        const text = everywhere.get(`${from}#${name}`);
        return text ? [[name, text] as const] : [];
      }),
      ...ownConstants.get(source)!,
    ]);
  const said: Said[] = [];
  const local = new Map<string, Map<string, Maker[]>>();
  for (const source of all) {
    const makers = new Map<string, Maker[]>();
    local.set(source.path, makers);
    const known = knownTo(source);
    walk(source.tree, (node) => {
      const found = written(node, classes);
      if (!found) return;
      for (const scope of around(node)) {
        const texts = textsOf(found.message, known, scope.parameters);
        if (!texts.some(open)) continue;
        const maker = { kind: found.kind, cured: found.cured, texts, parameters: scope.parameters };
        makers.set(scope.name, [...(makers.get(scope.name) ?? []), maker]);
        // What a parameter brings is said where it is called.
        const own = texts.filter((text) => !open(text));
        for (const text of own)
          said.push({ where: placeOf(source, node), text, kind: found.kind, cured: found.cured });
        return;
      }
      for (const text of textsOf(found.message, known))
        said.push({ where: placeOf(source, node), text, kind: found.kind, cured: found.cured });
    });
  }
  const told = tellers(all);
  for (const source of all) {
    const [known, imported] = [knownTo(source), imports.get(source)!];
    walk(source.tree, (node) => {
      if (!ts.isCallExpression(node)) return;
      const called = ts.isPropertyAccessExpression(node.expression) ? node.expression.name : node.expression;
      if (!ts.isIdentifier(called)) return;
      const name = called.text;
      const from = imported.get(name) ?? source.path;
      const makers = local.get(from)?.get(name) ?? told.get(name);
      for (const { kind, cured, texts, parameters } of makers ?? []) {
        const cureAt = parameters.indexOf('cure');
        const given = cureAt >= 0 && node.arguments[cureAt] !== undefined;
        const severity = parameters.indexOf('severity');
        if (severity >= 0 && node.arguments[severity]?.getText() === "'warning'") continue;
        const fill = (text: string): string[] => {
          const hole = /\uE000(\d+)\uE000/.exec(text);
          if (!hole) return [text];
          const argument = node.arguments[Number(hole[1])];
          return (argument ? textsOf(argument, known) : ['…']).flatMap((put) =>
            fill(text.replace(hole[0], () => put)),
          );
        };
        for (const text of texts.filter(open).flatMap(fill))
          said.push({ where: placeOf(source, node), text: closed(text), kind, cured: cured || given });
      }
    });
  }
  return said;
}
