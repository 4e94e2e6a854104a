/** @file Operators as the import and the lowering leave them, checked against onnxruntime's kernel for the operator itself. */
import { expect } from 'vitest';
import { type AttributeInput, attributes } from '#src/graph/attributes.ts';
import type { Builder } from '#src/graph/builder.ts';
import type { Value } from '#src/graph/types.ts';
import type { Node } from '#src/onnx/model.ts';
import { numbersOf, type Tensor } from '#src/onnx/tensor.ts';
import { builder, infer, operatorKey, operators } from '../table.ts';
import { runGraph } from './runGraph.ts';

type Attrs = Readonly<Record<string, AttributeInput | undefined>>;

const nodeOf = (op: string, inputs: readonly (Value | null)[], attrs: Attrs, outputs: number): Node => ({
  op,
  domain: '',
  name: 'tested',
  inputs: inputs.map((v) => v?.name ?? ''),
  outputs: Array.from({ length: outputs }, (_, i) => `y${i}`),
  attributes: attributes(attrs),
});

const written = (
  how: 'expand' | 'lower',
  g: Builder,
  op: string,
  inputs: readonly (Value | null)[],
  attrs: Attrs,
  outputs: number,
): readonly Value[] | undefined => {
  const node = nodeOf(op, inputs, attrs, outputs);
  const made = operators[operatorKey(node)]?.[how]?.(g, node, inputs);
  const types = infer(node, inputs, (i) => g.constantValue(inputs[i]));
  made?.forEach((v, i) => {
    expect(v.shape, `${op}, ${how}: shape`).toEqual(types[i]!.shape);
    expect(v.type, `${op}, ${how}: type`).toBe(types[i]!.type);
  });
  return made;
};

/** Emits an operator as the import does: written out where its entry says so. */
export const apply = (g: Builder, op: string, inputs: readonly (Value | null)[], attrs: Attrs = {}): Value =>
  written('expand', g, op, inputs, attrs, 1)?.[0] ?? g.emit(op, inputs, attrs);

export interface FormsCheck {
  readonly op: string;
  readonly inputs: readonly (Tensor | null)[];
  readonly attrs?: Attrs;
  readonly outputs?: number;
  /** Inputs that become run-time inputs of the graph; the others are constants in it. Default: all. */
  readonly data?: readonly number[];
  /** Allowed difference, relative to values above 1. Default 1e-5. */
  readonly tolerance?: number;
}

/** The kernel's outputs, after the expanded and the lowered forms were found to agree with them in shape and values. */
export async function checkForms({
  op,
  inputs,
  attrs = {},
  outputs = 1,
  data,
  tolerance = 1e-5,
}: FormsCheck): Promise<Tensor[]> {
  const g = builder();
  const values = inputs.map(
    (t, i) => t && ((data?.includes(i) ?? true) ? g.input(`x${i}`, t.type, t.shape) : g.constant(t)),
  );
  const kernel = g.emitAll(op, values, attrs, { outputs });
  const forms = (['expand', 'lower'] as const).flatMap((how) => {
    const made = written(how, g, op, values, attrs, outputs);
    return made ? [{ how, made: made.map((v) => g.emit('Identity', [v])) }] : [];
  });
  const feeds = Object.fromEntries(inputs.flatMap((t, i) => (t ? [[`x${i}`, t] as const] : [])));
  const out = await runGraph(g.build([...kernel, ...forms.flatMap((f) => f.made)]), feeds);
  const found = kernel.map((v) => out[v.name]!);
  kernel.forEach((v, i) => expect(v.shape, `${op}: inferred shape`).toEqual(found[i]!.shape));
  for (const { how, made } of forms)
    made.forEach((v, i) => {
      const expected = numbersOf(found[i]!);
      numbersOf(out[v.name]!).forEach((x, k) => {
        const y = expected[k]!;
        const near = x === y || Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(y));
        if (!near) expect.fail(`${op}, ${how}: element ${k} of output ${i} is ${x}, the kernel's ${y}`);
      });
    });
  return found;
}
