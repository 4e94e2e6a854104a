/** @file The code that runs, as syntax: its files, its classes of errors, and the texts that expressions come to. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** The classes of errors: which are for people, which of them are parts of sentences, and which always know a way out. */
export interface Classes {
  readonly plain: ReadonlySet<string>;
  readonly reasons: ReadonlySet<string>;
  readonly cured: ReadonlySet<string>;
}

export interface Source {
  readonly path: string;
  readonly tree: ts.SourceFile;
  /** Lines before the tree's first: of a component, its script is parsed. */
  readonly above: number;
}

/** The code that runs: no tests, nor what helps them. */
export const sources = (): Source[] =>
  ['src', 'workers', 'scripts']
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((path) => /\.(ts|mjs|svelte)$/.test(path) && !/\.test\.|\/testing\//.test(path))
    .map((path) => {
      const text = readFileSync(path, 'utf8');
      const script = path.endsWith('.svelte') ? /<script[^>]*>([\s\S]*?)<\/script>/.exec(text) : null;
      const own = path.endsWith('.svelte') ? (script?.[1] ?? '') : text;
      const above = script ? text.slice(0, text.indexOf(own)).split('\n').length - 1 : 0;
      return { path, tree: ts.createSourceFile(path, own, ts.ScriptTarget.Latest, true), above };
    });

export const placeOf = ({ path, tree, above }: Source, node: ts.Node): string =>
  `${path}:${tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1 + above}`;

export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** Refusals of the commands extend nothing: they run before anything is installed. */
const ROOTS = ['PlainError', 'Refusal'];

export function classesOf(all: readonly Source[]): Classes {
  const parents = new Map<string, string>();
  const standing = new Set<string>();
  for (const { tree } of all)
    walk(tree, (node) => {
      if (!ts.isClassDeclaration(node) || !node.name) return;
      const parent = node.heritageClauses?.find((h) => h.token === ts.SyntaxKind.ExtendsKeyword)?.types[0];
      if (parent) parents.set(node.name.text, parent.expression.getText(tree));
      // What a constructor hands up as `cure` beyond what it was given itself.
      walk(node, (n) => {
        if (!ts.isCallExpression(n) || n.expression.kind !== ts.SyntaxKind.SuperKeyword) return;
        for (const a of n.arguments)
          if (ts.isObjectLiteralExpression(a) && a.properties.some((p) => p.name?.getText(tree) === 'cure'))
            standing.add(node.name!.text);
      });
    });
  const line = (name: string): string[] => {
    const up = parents.get(name);
    return up === undefined ? [name] : [name, ...line(up)];
  };
  const names = [...new Set([...parents.keys(), ...ROOTS])];
  const under = (of: ReadonlySet<string>) =>
    new Set(names.filter((name) => line(name).some((n) => of.has(n))));
  return { plain: under(new Set(ROOTS)), reasons: under(new Set(['Reason'])), cured: under(standing) };
}

/** Texts of a file's constants by their names. */
export function constantsOf({ tree }: Source): Map<string, ts.Expression> {
  const found = new Map<string, ts.Expression>();
  walk(tree, (node) => {
    if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name) || !node.initializer) return;
    const { initializer } = node;
    if (
      ts.isStringLiteralLike(initializer) ||
      ts.isTemplateExpression(initializer) ||
      ts.isConditionalExpression(initializer)
    )
      found.set(node.name.text, initializer);
  });
  return found;
}

/** Names that a file imports, each with the file it comes from. */
export function importsOf({ path, tree }: Source): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const statement of tree.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const { text } = statement.moduleSpecifier;
    const from = text.startsWith('#') ? text.slice(1) : posix.join(posix.dirname(path), text);
    const named = statement.importClause?.namedBindings;
    if (named && ts.isNamedImports(named)) for (const { name } of named.elements) names.set(name.text, from);
  }
  return names;
}

/** Every text that an expression can come to, with "…" for what is not written in it; parameters stand as \uE000n\uE000. */
export function textsOf(
  node: ts.Expression,
  known: ReadonlyMap<string, ts.Expression>,
  parameters: readonly string[] = [],
  depth = 0,
): string[] {
  const of = (n: ts.Expression): string[] => textsOf(n, known, parameters, depth + 1);
  if (depth > 8) return ['…'];
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isParenthesizedExpression(node)) return of(node.expression);
  if (ts.isConditionalExpression(node)) return [...of(node.whenTrue), ...of(node.whenFalse)];
  if (ts.isIdentifier(node)) {
    const at = parameters.indexOf(node.text);
    if (at >= 0) return [`\uE000${at}\uE000`];
    const constant = known.get(node.text);
    return constant ? of(constant) : ['…'];
  }
  if (ts.isTemplateExpression(node))
    return node.templateSpans
      .reduce<string[]>(
        (heads, span) =>
          heads.flatMap((head) => of(span.expression).map((text) => head + text + span.literal.text)),
        [node.head.text],
      )
      .slice(0, 64);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return of(node.left).flatMap((left) => of(node.right).map((right) => left + right));
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.QuestionQuestionToken)
    return [...of(node.left), ...of(node.right)];
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression))
    if (/^(trim|replace|replaceAll|trimEnd)$/.test(node.expression.name.text))
      return of(node.expression.expression);
  return ['…'];
}
