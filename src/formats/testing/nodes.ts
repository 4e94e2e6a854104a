/** @file Nodes of files that are made for tests of merging: named by what they give. */
import type { Attribute, Node } from '#src/onnx/model.ts';

export const node = (
  op: string,
  inputs: string[],
  output: string,
  attributes: Record<string, Attribute> = {},
  domain = '',
): Node => ({ op, domain, name: `n/${output}/${op}`, inputs, outputs: [output], attributes });
export const int = (value: number): Attribute => ({ kind: 'int', value });
export const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
