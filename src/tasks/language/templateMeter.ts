/** @file What a chat template costs: a step for each expression, and more for long texts and lists, charged before they are made. */
import { Reason } from '#src/platform/refusals.ts';
import type { Interpreter } from '@huggingface/jinja';

/** Nothing: the first of an empty list. */
export type Runtime = ReturnType<Interpreter['evaluate']> | undefined;
type Node = NonNullable<Parameters<Interpreter['evaluate']>[0]>;

/** A template asks for more than any should: "it loops too often". */
export class TemplateLimit extends Reason {}

const tooOften = (): TemplateLimit =>
  new TemplateLimit('it loops too often, and takes more steps than a template may');

/** Steps without a pause: half a second, or a whole one on a busy machine. */
const AT_ONCE = 300_000;
/** A template that came to its limits so often is not tried again. */
const TRIES = 3;
/** Steps that a chat is good for. Well-known templates take 20 to 200 a message. */
const [EACH, EACH_MESSAGE, EACH_CHARACTER] = [2000, 1000, 1];
/** Characters, and elements of lists, that a value may have in all. */
const LARGEST = 1_000_000;
/** What an element of a list counts, beside what is in it. */
const ELEMENT = 8;
/** Texts of up to so many characters are found in one go through another. */
const SHORT = 32;

/** Where a value only passes through: nothing goes over what is in it. */
const PASSING = new Set(['MemberExpression', 'TestExpression', 'Set', 'Ternary', 'SelectExpression']);
const NAMES = new Set(['Identifier', 'MemberExpression']);

/** An expression that is being worked on, and the values of its parts so far. */
interface Frame {
  readonly node: Node;
  readonly values: Runtime[];
}
interface Named {
  readonly value?: unknown;
}
/** What is asked of nodes of several kinds. */
interface AnyNode {
  readonly operator?: Named;
  readonly filter?: { readonly value?: unknown; readonly callee?: Named };
  readonly property?: { readonly type?: string };
}

const filterOf = (node: Node): unknown => {
  const { filter } = node as AnyNode;
  return filter?.callee?.value ?? filter?.value;
};
const textOf = (value: Runtime): string | null => (typeof value?.value === 'string' ? value.value : null);

export class Meter {
  #left = AT_ONCE;
  #largest = LARGEST;
  #spent = 0;
  #frames: Frame[] = [];
  #ended: Frame | undefined;
  readonly #sizes = new WeakMap<object, number>();
  readonly #nodes = new WeakMap<object, number>();

  earn({ length, messages }: { readonly length: number; readonly messages: number }): void {
    this.#frames = [];
    if (this.#spent >= TRIES) throw tooOften();
    this.#largest = LARGEST + 4 * length;
    this.#left = Math.min(
      AT_ONCE + EACH_CHARACTER * length,
      Math.max(0, this.#left) + EACH + EACH_MESSAGE * messages + EACH_CHARACTER * length,
    );
  }

  /** @throws TemplateLimit where nothing is left */
  charge(steps: number): void {
    this.#left -= steps;
    if (this.#left >= 0) return;
    this.#spent++;
    throw tooOften();
  }

  begin(node: Node): void {
    this.#frames.push({ node, values: [] });
    // What the names of a macro's arguments are is found by going over all of its body.
    this.charge(node.type === 'Macro' || node.type === 'CallStatement' ? this.#parts(node) : 1);
  }

  end(): void {
    this.#ended = this.#frames.pop();
  }

  /** The value of an expression, charged for; what is called later is charged then. */
  made(node: Node, value: Runtime): Runtime {
    const ended = this.#ended;
    const around = this.#frames.at(-1);
    const sliced = node.type === 'MemberExpression' && (node as AnyNode).property?.type === 'SliceExpression';
    if (sliced) this.charge(this.size(ended?.values[0]) / 8);
    let out = value;
    if (value?.type === 'FunctionValue' && node.type === 'MemberExpression')
      out = this.#method(value, ended?.values[0]);
    // Looking for a name that is not there, leaving a loop: errors within the interpreter.
    if (value?.type === 'UndefinedValue') this.charge(10);
    if (sliced || !NAMES.has(node.type) || !around || !PASSING.has(around.node.type)) {
      const size = this.size(value);
      this.charge(size / 64);
      if (around) this.#handed(around, value, size);
    }
    around?.values.push(out);
    return out;
  }

  /**
   * Characters of a value and of all that is in it.
   * @throws TemplateLimit where these are too many
   */
  size(value: Runtime): number {
    const { size } = this.#measured(value, 0);
    if (size > this.#largest) throw new TemplateLimit('it makes too long a text or list');
    return size;
  }

  /** `fixed`: it will stay so, which namespaces do not. */
  #measured(value: Runtime, depth: number): { readonly size: number; readonly fixed: boolean } {
    const inner: unknown = value?.value;
    if (typeof inner === 'string') return { size: inner.length, fixed: true };
    const list = Array.isArray(inner)
      ? (inner as Runtime[])
      : inner instanceof Map
        ? [...(inner.values() as Iterable<Runtime>)]
        : null;
    if (!value || list === null) return { size: 1, fixed: true };
    const known = this.#sizes.get(value);
    if (known !== undefined) return { size: known, fixed: true };
    if (depth > 200) throw new TemplateLimit('it is nested too deeply');
    this.charge(list.length / 8);
    let size = ELEMENT;
    let fixed = value.type !== 'NamespaceValue';
    for (const item of list) {
      const part = this.#measured(item, depth + 1);
      size += ELEMENT + part.size;
      fixed &&= part.fixed;
      if (size > this.#largest) break;
    }
    if (inner instanceof Map) for (const key of inner.keys()) size += String(key).length;
    if (fixed) this.#sizes.set(value, size);
    return { size, fixed };
  }

  /** A part's value comes to the expression around it, which will go over it. */
  #handed({ node, values }: Frame, value: Runtime, size: number): void {
    const inner: unknown = value?.value;
    const list = Array.isArray(inner) ? inner.length : inner instanceof Map ? inner.size : 0;
    const [first, second] = values;
    switch (node.type) {
      case 'For':
        this.charge(4 * list);
        break;
      case 'BinaryExpression':
        if (first && /in$/.test(String((node as AnyNode).operator?.value)))
          this.#search(textOf(value), textOf(first));
        this.charge(list / 8);
        break;
      case 'FilterStatement':
      case 'FilterExpression': {
        const name = filterOf(node);
        if (!first) this.charge(size / 8 + list * (name === 'sort' || name === 'dictsort' ? 16 : 4));
        else if (name === 'replace') {
          if (second) this.#replacing(textOf(first), textOf(second), textOf(value));
        } else if (name === 'join' || name === 'tojson' || name === 'indent')
          this.#grow(
            (textOf(first)?.length ?? this.size(first) / ELEMENT) * Math.max(size, Number(inner) || 0),
          );
      }
    }
  }

  /** A method of a value, charged for what it goes over when it is called. */
  #method(method: NonNullable<Runtime>, owner: Runtime): Runtime {
    const run = method.value as (args: Runtime[], scope: unknown) => Runtime;
    const value = (args: Runtime[], scope: unknown): Runtime => {
      this.charge(3 + this.size(owner) / 8);
      const text = textOf(owner);
      const [first, second] = args;
      if (args.length > 1) this.#replacing(text, textOf(first), textOf(second));
      else this.#search(text, textOf(first));
      const made = run(args, scope);
      this.charge(this.size(made) / 64);
      return made;
    };
    return Object.assign(
      Object.create(Object.getPrototypeOf(method) as object) as NonNullable<Runtime>,
      method,
      {
        value,
      },
    );
  }

  /** Looking for a text takes its length times the other's at worst. */
  #search(text: string | null, wanted: string | null): void {
    if (text === null || wanted === null || wanted.length > text.length) return;
    this.charge(text.length / 64 + (wanted.length > SHORT ? (text.length * wanted.length) / 512 : 0));
  }

  #replacing(text: string | null, old: string | null, by: string | null): void {
    this.#search(text, old);
    if (text === null || old === null || by === null) return;
    const most = old === '' ? text.length + 1 : text.length / old.length;
    if (most * by.length > this.#largest)
      this.#grow((old === '' ? most : text.split(old).length - 1) * by.length);
  }

  #grow(length: number): void {
    if (length > this.#largest) throw new TemplateLimit('it makes too long a text or list');
  }

  /** Expressions and statements in a node. */
  #parts(node: Node): number {
    let count = this.#nodes.get(node) ?? 0;
    if (count > 0) return count;
    const left: unknown[] = [node];
    while (left.length > 0) {
      const next = left.pop();
      if (typeof next !== 'object' || next === null) continue;
      count++;
      for (const part of next instanceof Map ? [...next.keys(), ...next.values()] : Object.values(next))
        left.push(part);
    }
    this.#nodes.set(node, count);
    return count;
  }
}
