/** @file Typed access to a node's attributes, with ONNX's defaults given at the place of use. */
import { type Attribute, type Attributes, type Constant, type Node } from '#src/onnx/model.ts';
import { Contradiction } from './types.ts';

/** Shorthand accepted by the builder: integers must be given as `{ int }` only where a whole number is meant as float. */
export type AttributeInput = number | string | readonly number[] | Attribute;

/** Attributes from shorthand: whole numbers become ints, arrays of whole numbers ints, other numbers floats. */
export function attributes(input: Readonly<Record<string, AttributeInput | undefined>>): Attributes {
  const out: Record<string, Attribute> = {};
  for (const [key, value] of Object.entries(input)) {
    if (value === undefined) continue;
    if (typeof value === 'number') out[key] = { kind: Number.isInteger(value) ? 'int' : 'float', value };
    else if (typeof value === 'string') out[key] = { kind: 'string', value };
    else if (Array.isArray(value))
      out[key] = { kind: value.every(Number.isInteger) ? 'ints' : 'floats', value: value as number[] };
    else out[key] = value as Attribute;
  }
  return out;
}

/** A float attribute even where the value is a whole number. */
export const float = (value: number): Attribute => ({ kind: 'float', value });

function read(node: Node, key: string, kinds: readonly Attribute['kind'][]): Attribute['value'] | undefined {
  const a = node.attributes[key];
  if (a === undefined) return undefined;
  if (!kinds.includes(a.kind))
    throw new Contradiction(
      `${node.op} ${node.name}: attribute ${key} should be ${kinds.join(' or ')}, but is ${a.kind}.`,
    );
  return a.value;
}

export const intAttr = (node: Node, key: string, fallback: number): number =>
  (read(node, key, ['int']) as number | undefined) ?? fallback;
export const floatAttr = (node: Node, key: string, fallback: number): number =>
  (read(node, key, ['float', 'int']) as number | undefined) ?? fallback;
export const stringAttr = (node: Node, key: string, fallback: string): string =>
  (read(node, key, ['string']) as string | undefined) ?? fallback;
export const intsAttr = (node: Node, key: string): readonly number[] | undefined =>
  read(node, key, ['ints']) as readonly number[] | undefined;
export const tensorAttr = (node: Node, key: string): Constant | undefined =>
  read(node, key, ['tensor']) as Constant | undefined;
