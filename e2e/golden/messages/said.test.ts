/** @file What the code says where it refuses something, found in its syntax: plain words and a way out, at every place. */
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { innerWord, saysWayOut } from './plain.ts';
import { refusals } from './sentences.ts';
import { classesOf, placeOf, sources, walk } from './syntax.ts';

const all = sources();
const classes = classesOf(all);
const said = refusals(all);

/** A text that is put together elsewhere says nothing here. */
const isWritten = (text: string): boolean => /\w+ \w+/.test(text);

describe('what the code says', () => {
  it('is found', () => {
    expect(classes.plain.size).toBeGreaterThan(12);
    expect(said.filter(({ text }) => isWritten(text)).length).toBeGreaterThan(700);
  });

  it('has no words that only developers know', () => {
    const wrong = said.flatMap(({ where, text }) => {
      const word = innerWord(text);
      return word === null ? [] : [`${where}: "${word}" in: ${text}`];
    });
    expect(wrong).toEqual([]);
  });

  it('has a way out', () => {
    const without = said.filter(
      ({ text, kind, cured }) => isWritten(text) && !cured && !classes.reasons.has(kind) && !saysWayOut(text),
    );
    expect(without.map(({ where, kind, text }) => `${where} ${kind}: ${text}`)).toEqual([]);
  });

  it('fits into a sentence, where it is but a reason', () => {
    const reasons = said.filter(({ kind, text }) => kind === 'Reason' && isWritten(text));
    expect(reasons.length).toBeGreaterThan(20);
    expect(
      reasons.filter(({ text }) => /^[A-Z]|\.$/.test(text)).map(({ where, text }) => `${where}: ${text}`),
    ).toEqual([]);
  });
});

/** Classes of the language: thrown where what cannot be has happened. No edge shows their words. */
const MISTAKES = /^(?:Error|TypeError|RangeError|DOMException)$/;

describe('what is thrown', () => {
  /** Classes of errors that are caught by name, and classes that are thrown and are none of ours. */
  const caught = new Set<string>();
  const strangers = new Map<string, string>();
  const oddities: string[] = [];
  for (const source of all)
    walk(source.tree, (node) => {
      if (
        ts.isBinaryExpression(node) &&
        node.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword &&
        ts.isIdentifier(node.right)
      )
        caught.add(node.right.text);
      if (!ts.isThrowStatement(node)) return;
      const thrown = (e: ts.Expression): void => {
        if (ts.isConditionalExpression(e)) {
          thrown(e.whenTrue);
          thrown(e.whenFalse);
        } else if (ts.isNewExpression(e)) {
          const name = e.expression.getText(source.tree);
          if (!classes.plain.has(name) && !MISTAKES.test(name)) strangers.set(name, placeOf(source, e));
        } else if (!ts.isIdentifier(e) && !ts.isCallExpression(e)) oddities.push(placeOf(source, e));
      };
      thrown(node.expression);
    });

  it('is a refusal, a mistake of the programme, or thrown on', () => expect(oddities).toEqual([]));

  it('is caught by name where it is neither a refusal nor a mistake', () => {
    expect([...strangers].filter(([name]) => !caught.has(name))).toEqual([]);
  });
});

/** Whether a class of errors is one of ours, or of a library that is named: `Error` says nothing. */
const NARROWED = /instanceof (?!Error\b)\w+|\bisWording\(|\btemplateReason\(/;
/** Where everything that was thrown becomes a Problem, with its own words among the details. */
const EDGES =
  /^(workers\/trainer\/problems|src\/app\/problems|src\/runtime\/errors|src\/platform\/refusals)\.ts$/;

describe('what was thrown by mistake', () => {
  it('goes into no sentence: words of an error are shown only where its class is known', () => {
    const leaks: string[] = [];
    for (const source of all.filter(({ path }) => !EDGES.test(path) && !path.startsWith('scripts/')))
      walk(source.tree, (node) => {
        if (!ts.isCatchClause(node) || !node.variableDeclaration) return;
        const name = node.variableDeclaration.name.getText(source.tree);
        const text = node.block.getText(source.tree);
        walk(node.block, (inner) => {
          const shows =
            ts.isPropertyAccessExpression(inner) &&
            inner.name.text === 'message' &&
            inner.expression.getText(source.tree).replaceAll(/[()]| as Error/g, '') === name;
          // What is only looked at is not shown.
          for (let at = inner.parent; at !== node; at = at.parent)
            if (ts.isCallExpression(at) && /\.test$/.test(at.expression.getText(source.tree))) return;
          if (shows && !NARROWED.test(text))
            leaks.push(`${placeOf(source, inner)}: ${inner.parent.getText(source.tree)}`);
          if (ts.isCallExpression(inner) && inner.getText(source.tree) === `String(${name})`)
            leaks.push(`${placeOf(source, inner)}: ${inner.getText(source.tree)}`);
        });
      });
    expect(leaks).toEqual([]);
  });
});
