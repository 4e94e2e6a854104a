/** @file Symbolic dimensions: names and the expressions that exporters write over them. */
import { GraphError } from './types.ts';

const token = /\s*(?:(\d+)|([A-Za-z_][\w.:]*)|(\/\/|[-+*/%(),]))/y;

/** Names in a dimension such as `past_length + 2*length`; the whole text is the one name where it is no expression. */
export function namesIn(dim: string): string[] {
  const tokens = tokenise(dim);
  if (!tokens) return [dim];
  // A name before "(" is a function: floor, ceil, max, min, …
  return [...new Set(tokens.filter((t, i) => isName(t) && tokens[i + 1] !== '('))];
}

/**
 * Value of a dimension expression (+ − * / // % and floor, ceil, max, min); undefined where a name is not bound.
 * The text as a whole may be bound too, and that goes first.
 * @throws GraphError for a result that is not a whole number ≥ 0.
 */
export function evaluateDim(dim: string, dims: ReadonlyMap<string, number>): number | undefined {
  const given = dims.get(dim);
  if (given !== undefined) return given;
  const tokens = tokenise(dim);
  if (!tokens || namesIn(dim).some((n) => !dims.has(n))) return undefined;
  const result = new Expression(tokens, dims).evaluate();
  if (result === undefined) return undefined;
  if (!Number.isInteger(result) || result < 0)
    throw new GraphError(
      `The dimension "${dim}" comes to ${result} with the sizes given; it must be a whole number, 0 or more. Choose other sizes.`,
    );
  return result;
}

const isName = (t: string): boolean => /^[A-Za-z_]/.test(t);

function tokenise(text: string): string[] | undefined {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (text.slice(token.lastIndex).trim() !== '') {
    const match = token.exec(text);
    if (!match) return undefined;
    tokens.push(match[1] ?? match[2] ?? match[3]!);
  }
  return tokens.length > 0 ? tokens : undefined;
}

const functions: Readonly<Record<string, (...args: number[]) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  ceiling: Math.ceil,
  max: Math.max,
  Max: Math.max,
  min: Math.min,
  Min: Math.min,
};

/** Recursive descent over the tokens; undefined where they are no expression. */
class Expression {
  #at = 0;
  constructor(
    readonly tokens: readonly string[],
    readonly dims: ReadonlyMap<string, number>,
  ) {}

  evaluate(): number | undefined {
    const value = this.#sum();
    return this.#at === this.tokens.length && !Number.isNaN(value) ? value : undefined;
  }

  #take(...symbols: readonly string[]): string | undefined {
    const t = this.tokens[this.#at];
    if (t === undefined || !symbols.includes(t)) return undefined;
    this.#at++;
    return t;
  }

  #sum(): number {
    let value = this.#product();
    for (let op = this.#take('+', '-'); op; op = this.#take('+', '-'))
      value = op === '+' ? value + this.#product() : value - this.#product();
    return value;
  }

  #product(): number {
    let value = this.#factor();
    for (let op = this.#take('*', '/', '//', '%'); op; op = this.#take('*', '/', '//', '%')) {
      const right = this.#factor();
      if (op === '*') value *= right;
      else if (op === '/') value /= right;
      else if (op === '//') value = Math.floor(value / right);
      else value = ((value % right) + right) % right;
    }
    return value;
  }

  #factor(): number {
    if (this.#take('-')) return -this.#factor();
    if (this.#take('(')) {
      const value = this.#sum();
      return this.#take(')') ? value : NaN;
    }
    const t = this.tokens[this.#at++];
    if (t === undefined) return NaN;
    if (!this.#take('(')) return isName(t) ? (this.dims.get(t) ?? NaN) : Number(t);
    const args = [this.#sum()];
    while (this.#take(',')) args.push(this.#sum());
    return this.#take(')') ? (functions[t]?.(...args) ?? NaN) : NaN;
  }
}
