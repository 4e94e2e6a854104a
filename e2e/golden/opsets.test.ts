/** Models of opsets 7 to 10: onnxruntime's outputs, and central differences of them, see opsets/make.py. */
import { describe, expect, it } from 'vitest';
import { backward } from '#src/autodiff/backward.ts';
import { decodeModel } from '#src/onnx/decode.ts';
import { type DType, ModelError } from '#src/onnx/model.ts';
import { numbersOf, type Tensor, tensor } from '#src/onnx/tensor.ts';
import { importGraph } from '#src/ops/import/import.ts';
import { oldestOpset } from '#src/ops/import/opsets.ts';
import { builder, operators } from '#src/ops/table.ts';
import { graphOf, model, n, value } from '#src/ops/testing/models.ts';
import { runGraph } from '#src/ops/testing/runGraph.ts';
import { expectNear, json } from './testing/fixtures.ts';

interface OldModel {
  readonly name: string;
  readonly op: string;
  readonly since: number;
  /** The file, base64. */
  readonly model: string;
  readonly inputs: readonly { readonly type: DType; readonly shape: number[]; readonly values: number[] }[];
  readonly output: { readonly shape: number[]; readonly values: number[] };
  readonly cotangent?: number[];
  readonly gradients?: readonly (number[] | null)[];
}

const cases = json('opsets/cases.json') as OldModel[];

/** By operator: its versions in ONNX, as far as their inputs and outputs differ. */
const schemas = json('arity/arity.json') as Record<string, [number, string, string][]>;

describe('models of opsets 7 to 10', () => {
  it.each(cases)('$name', async ({ model: file, inputs, output, cotangent, gradients }) => {
    const graph = importGraph(decodeModel(Uint8Array.from(Buffer.from(file, 'base64'))));
    const g = builder(graph);
    const wanted = inputs.map((_, i) => g.value(`x${i}`)).filter((_, i) => gradients?.[i]);
    const feeds: Record<string, Tensor> = Object.fromEntries(
      inputs.map((x, i) => [`x${i}`, tensor(x.type, x.shape, x.values)]),
    );
    const names: (string | undefined)[] = [];
    if (cotangent) {
      const y = graph.outputs[0]!;
      feeds.dy = tensor('float32', y.shape, cotangent);
      const found = backward(g, new Map([[y.name, g.input('dy', 'float32', y.shape)]]), wanted);
      found.forEach((v, i) => names.push(v ? g.output(v, `gradient${i}`).name : undefined));
    }
    const out = await runGraph(g.build(), feeds);
    const y = out[graph.outputs[0]!.name]!;
    expect(y.shape).toEqual(output.shape);
    // float32 of six digits on both sides.
    expectNear('output', y, tensor('float32', y.shape, output.values), 1e-5);
    gradients
      ?.filter((want) => want !== null)
      .forEach((want, i) => {
        const name = names[i];
        const found = name === undefined ? want.map(() => 0) : numbersOf(out[name]!);
        // Differences of float32 sums over a step of 0.004.
        want.forEach((v, k) =>
          expect(Math.abs(found[k]! - v), `gradient ${i} at ${k}: ${found[k]} for ${v}`).toBeLessThan(5e-4),
        );
      });
  });

  it('are there for every operator that had another form', () => {
    const tried = new Set(cases.map((c) => c.op));
    const changed = Object.entries(schemas).filter(
      ([key, forms]) =>
        operators[key] &&
        !operators[key].refused &&
        forms[0]![0] < 11 &&
        forms.some(([since]) => since > forms[0]![0] && since <= 11),
    );
    expect(changed.map(([key]) => key).filter((key) => !tried.has(key))).toEqual([]);
  });

  it.each([1, 6])('older ones (opset %i) are refused with the way out', (opset) => {
    const old = model(graphOf([n('Relu', ['x'], ['y'])], {}, [value('x', 'float32', [2])], ['y']), opset);
    expect(oldestOpset).toBe(7);
    expect(() => importGraph(old)).toThrow(ModelError);
    expect(() => importGraph(old)).toThrow(/7 to 26.*onnx\.version_converter\.convert_version\(.*, 13\)/);
  });
});
